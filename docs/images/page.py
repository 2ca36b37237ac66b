"""Make the image of the web guide: the page with a frame of a rendered clip, in Chromium.

python benchmarks/clip.py render clip.mp4
python docs/images/page.py pose_landmarker_full.task pose_landmarker_lite.task clip.mp4
"""

import sys
import tempfile
import threading
from pathlib import Path

from PIL import Image

from blazepose.web.server import PageServer
from blazepose.web.site import build_site, read_bundles
from blazepose.web.tasks_vision import load_tasks_vision

sys.path.append(str(Path(__file__).parents[2]))
from tests.web.chromium import open_chromium

_SIZE = 1180, 880
_SECONDS = 0.9
"""Time of the frame. Chosen: both arms are visible."""


def main() -> None:
    """Write the image."""
    *bundles, clip = map(Path, sys.argv[1:])
    site = build_site(read_bundles(bundles), load_tasks_vision())
    with (
        PageServer(site, "127.0.0.1", 0) as server,
        open_chromium() as page,
        tempfile.TemporaryDirectory() as folder,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        shot = Path(folder) / "page.png"
        page.open(server.address)
        page.screenshot(shot, *_SIZE)  # sets the size before anything is drawn
        page.evaluate("(async () => { await (await import('/main.js')).ready; })()")
        page.choose_files("#file", clip)
        page.wait("!document.getElementById('player').hidden && document.querySelector('.numbers').innerText")
        page.evaluate(
            f"(() => {{ const slider = document.getElementById('position'); slider.value = {_SECONDS};"
            "slider.dispatchEvent(new Event('input')); })()"
        )
        page.wait(f"document.getElementById('time').value.startsWith('{_SECONDS:.2f} ')")
        page.screenshot(shot, *_SIZE)
        Image.open(shot).convert("RGB").save(Path(__file__).with_name("page.jpg"), quality=85)
        server.shutdown()


if __name__ == "__main__":
    main()
