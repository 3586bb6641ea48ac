// Runs models in ONNX Runtime, one after the other: node run.js MODULES DIR ENGINE LEVEL REWRITTEN.
// DIR/cases.json lists models and their inputs; DIR/results.json gets a line of JSON for each,
// its outputs, and the model as it is run where REWRITTEN is true, or what ONNX Runtime says against it. Elements lie in files, little-endian.
'use strict';
const fs = require('fs');
const path = require('path');
const [modules, dir, engine, level, rewritten] = process.argv.slice(2);
const ort = require(path.join(modules, engine));
const web = engine === 'onnxruntime-web';
if (web) ort.env.wasm.numThreads = 1;

const arrays = {
  float32: Float32Array, float64: Float64Array, float16: Uint16Array, int8: Int8Array, uint8: Uint8Array, bool: Uint8Array,
  int16: Int16Array, uint16: Uint16Array, int32: Int32Array, uint32: Uint32Array, int64: BigInt64Array, uint64: BigUint64Array,
};

function read(entry) {
  const bytes = fs.readFileSync(path.join(dir, entry.file));
  const array = arrays[entry.type];
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return new ort.Tensor(entry.type, new array(copy), entry.dims);
}

function write(name, tensor, file) {
  const data = tensor.data;
  fs.writeFileSync(path.join(dir, file), new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return { name, type: tensor.type, dims: tensor.dims, file };
}

async function run(c, i) {
  const file = rewritten === 'true' ? `${i}.rewritten.onnx` : '';
  const session = await ort.InferenceSession.create(path.join(dir, c.model), {
    ...(file && { optimizedModelFilePath: path.join(dir, file) }),
    graphOptimizationLevel: level, intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4,
    executionProviders: [web ? 'wasm' : 'cpu'],
  });
  const feeds = {};
  for (const entry of c.inputs) feeds[entry.name] = read(entry);
  const given = await session.run(feeds);
  const outputs = session.outputNames.map((name, k) => write(name, given[name], `${i}.out${k}`));
  await session.release();
  return { outputs, rewritten: file };
}

(async () => {
  const out = fs.openSync(path.join(dir, 'results.json'), 'w');
  const cases = JSON.parse(fs.readFileSync(path.join(dir, 'cases.json'), 'utf8'));
  for (let i = 0; i < cases.length; i++) {
    let result;
    try {
      result = await run(cases[i], i);
    } catch (e) {
      result = { error: String(e.message || e) };
    }
    fs.writeSync(out, JSON.stringify(result) + '\n');
  }
  fs.closeSync(out);
})();
