"""TFLite files in LiteRT for the web (@litertjs/core), by turns in headless Chromium, on the CPU.

python benchmarks/litert_web.py full_fp16.tflite full_int8.tflite --rounds 20
"""

import argparse
import functools
import json
import shutil
import subprocess
import tarfile
import tempfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from blazepose.errors import friendly_errors
from blazepose.exceptions import InputError, MissingFileError
from blazepose.package_download import Package, downloaded

_PACKAGES = {
    name: Package(
        f"@litertjs/{name} 2.5.3",
        ("npm", "pack", f"@litertjs/{name}@2.5.3"),
        ("--loglevel=error", "--pack-destination"),
    )
    for name in ("core", "wasm-utils")
}

_PAGE = """<!doctype html><meta charset="utf-8">
<script type="importmap">{"imports": {"@litertjs/wasm-utils": "/wasm-utils/dist/bundle.js"}}</script>
<script type="module">
import {loadLiteRt, loadAndCompile, Tensor} from '/core/dist/index.js';
async function measure({files, rounds}) {
  await loadLiteRt('/core/wasm/');
  const models = [];
  for (const file of files) models.push(await loadAndCompile(file, {accelerator: 'wasm'}));
  const times = files.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [k, model] of models.entries()) {
      const shape = Array.from(Object.values(model.getInputDetails())[0].shape);
      const size = shape.reduce((a, b) => a * b);
      const input = new Tensor(Float32Array.from({length: size}, (_, i) => ((i * 7919) % 256) / 255), shape);
      const start = performance.now();
      const outputs = await model.run(input);
      await outputs[0].data();
      times[k].push(performance.now() - start);
      for (const tensor of [input, ...outputs]) tensor.delete();
    }
  }
  return models.map((model, k) => ({ms: times[k], whole: model.isFullyAccelerated}));
}
fetch('/job').then((reply) => reply.json()).then(measure).catch((error) => String(error))
  .then((result) => fetch('/result', {method: 'POST', body: JSON.stringify(result)}));
</script>"""

_TIMEOUT_S = 600


class _Handler(SimpleHTTPRequestHandler):
    results: list[Any] = []
    done = threading.Event()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.results.append(json.loads(body))
        self.send_response(204)
        self.end_headers()
        self.done.set()

    def log_message(self, *arguments: Any) -> None:
        """Print no line per request."""


@friendly_errors
def main() -> None:
    """Print the times of each file, and whether XNNPACK runs the whole of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, help=".tflite")
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        raise MissingFileError("Chromium is not installed: install it")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_site(folder, args.files, args.rounds)
        handler = functools.partial(_Handler, directory=name)
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            address = f"http://127.0.0.1:{server.server_address[1]}/"
            command = [
                chromium,
                "--headless",
                "--no-sandbox",
                f"--user-data-dir={folder / 'profile'}",
                address,
            ]
            browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            answered = _Handler.done.wait(_TIMEOUT_S)
            browser.terminate()
            browser.wait()
            server.shutdown()
    if not answered or isinstance(_Handler.results[0], str):
        raise InputError(f"the page did not run: {_Handler.results or 'no answer'}")
    for file, measured in zip(args.files, _Handler.results[0], strict=True):
        times = measured["ms"][1:]
        whole = "wholly in XNNPACK" if measured["whole"] else "NOT wholly in XNNPACK"
        print(f"{file}: median {np.median(times):.0f} ms, least {min(times):.0f} ms, {whole}")


def _write_site(folder: Path, files: list[Path], rounds: int) -> None:
    for name, package in _PACKAGES.items():
        with downloaded(package, "run it where npm works") as tarball, tarfile.open(tarball) as archive:
            archive.extractall(folder, filter="data")
        (folder / "package").rename(folder / name)
    for number, file in enumerate(files):
        shutil.copy(file, folder / f"{number}.tflite")
    job = {"files": [f"/{number}.tflite" for number in range(len(files))], "rounds": rounds}
    (folder / "job").write_text(json.dumps(job))
    (folder / "index.html").write_text(_PAGE)


if __name__ == "__main__":
    main()
