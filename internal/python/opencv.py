# Runs models in OpenCV, one after the other: opencv.py DIR. DIR/cases.json lists models with the
# dimensions of their input, which lies as float32 in MODEL.in; MODEL.out gets the output. Prints a line
# of JSON for each, its dimensions or what OpenCV says against it.
import json
import sys

import cv2
import numpy as np

cv2.setNumThreads(1)
if hasattr(cv2, "setLogLevel"):
    cv2.setLogLevel(0)
for case in json.load(open(sys.argv[1] + "/cases.json")):
    name = sys.argv[1] + "/" + case["model"]
    said = {"error": "", "dims": []}
    try:
        net = cv2.dnn.readNetFromONNX(name)
        net.setInput(np.fromfile(name + ".in", np.float32).reshape(case["dims"]))
        y = net.forward()
        y.astype(np.float32).tofile(name + ".out")
        said["dims"] = list(y.shape)
    except cv2.error as e:
        said["error"] = str(e)
    print(json.dumps(said), flush=True)
