# Checks models by onnx's checker, with full shape inference, one after the other:
# check.py FILE... prints a line of JSON for each, what is wrong with it or "".
import json
import sys

import onnx

for name in sys.argv[1:]:
    try:
        onnx.checker.check_model(onnx.load(name), full_check=True)
        error = ""
    except Exception as e:
        error = str(e) or repr(e)
    print(json.dumps(error))
