// Runs the network on the picture of the server, compares each number with what spikingir
// gives for it, and then on pictures of the visitor.
import * as ort from '/ort/ort.wasm.min.mjs';

ort.env.wasm.wasmPaths = '/ort/';
ort.env.wasm.numThreads = 1; // more need headers of the server's

const $ = (id) => document.getElementById(id);
const bytes = async (path) => (await fetch(path)).arrayBuffer();

// draw shows planes [3][height][width] of numbers from 0 to 1.
function draw(canvas, planes, width, height) {
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height), n = width * height;
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = Math.round(255 * planes[c * n + i]);
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext('2d').putImageData(image, 0, 0);
}

// restore runs the network and shows both pictures.
async function restore(session, planes, width, height) {
  draw($('noisy'), planes, width, height);
  const start = performance.now();
  const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', planes, [1, 3, height, width]) };
  const restored = (await session.run(feeds))[session.outputNames[0]].data;
  const seconds = (performance.now() - start) / 1000;
  draw($('restored'), restored, width, height);
  return { restored, seconds };
}

// differences counts the numbers of which a bit differs.
function differences(a, b) {
  const x = new Uint32Array(a.buffer, a.byteOffset, a.length), y = new Uint32Array(b.buffer, b.byteOffset, b.length);
  return x.reduce((n, v, i) => n + (v !== y[i]), Math.abs(a.length - b.length));
}

// gaussian is a normal random number.
const gaussian = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

// open gives the planes of a file, at most 512 pixels wide and high, noise added.
async function open(file, sigma) {
  const picture = await createImageBitmap(file);
  const shrink = Math.min(1, 512 / Math.max(picture.width, picture.height));
  const width = Math.max(1, Math.round(picture.width * shrink)), height = Math.max(1, Math.round(picture.height * shrink));
  const context = new OffscreenCanvas(width, height).getContext('2d');
  context.drawImage(picture, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height), n = width * height;
  const planes = new Float32Array(3 * n);
  for (let i = 0; i < 3 * n; i++) planes[i] = (data[4 * (i % n) + Math.floor(i / n)] + sigma * gaussian()) / 255;
  return { planes, width, height };
}

function say(text, wrong) {
  $('verdict').textContent = text;
  $('verdict').classList.toggle('wrong', Boolean(wrong));
}

async function main() {
  const about = await (await fetch('/about.json')).json();
  const session = await ort.InferenceSession.create('/model.onnx', { executionProviders: ['wasm'] });
  const noisy = new Float32Array(await bytes('/noisy.bin')), expected = new Float32Array(await bytes('/restored.bin'));
  const { restored, seconds } = await restore(session, noisy, about.width, about.height);
  const n = differences(restored, expected);
  say(n === 0
    ? `All ${expected.length.toLocaleString('en')} numbers are, bit for bit, those that spikingir computes.`
    : `${n.toLocaleString('en')} of ${expected.length.toLocaleString('en')} numbers differ from those of spikingir.`, n > 0);
  const facts = (s) => { $('facts').textContent = `T = ${about.timesteps}, two phases, a file of ${Math.round(about.bytes / 1000)} kB; ${s.toFixed(2)} s`; };
  facts(seconds);
  $('file').addEventListener('change', async () => {
    try {
      say('Restoring.');
      const p = await open($('file').files[0], $('noise').checked ? about.sigma : 0);
      const { seconds } = await restore(session, p.planes, p.width, p.height);
      say(`Your picture, ${p.width} x ${p.height} pixels.`);
      facts(seconds);
    } catch (e) {
      say(`This picture cannot be restored: ${e.message}`, true);
    }
  });
  return n;
}

main().then((n) => `${n} differ`, (e) => { say(`Failed: ${e.message}`, true); return `failed: ${e.message}`; })
  .then((outcome) => { document.documentElement.dataset.outcome = outcome; });
