"""Show bundles in the browser: `blazepose serve my_pose.task pose_landmarker_full.task`."""

import threading
from pathlib import Path

from blazepose.commands.main import parse
from blazepose.errors import friendly_errors, on_signals
from blazepose.exceptions import InputError
from blazepose.web.server import PageServer
from blazepose.web.site import Site, build_site, check_new, read_bundles, write_site
from blazepose.web.tasks_vision import load_tasks_vision


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Check the bundles, fetch MediaPipe's runtime if it is not there, and serve or write the page."""
    args = parse("serve", arguments)
    out = args.out and args.out.expanduser()
    if out:
        if args.host or args.port is not None:
            raise InputError("--out writes the page for another web server: omit --host and --port")
        check_new(out)
    bundles = read_bundles([path.expanduser() for path in filter(None, (args.bundle, args.second))])
    for bundle in bundles:
        print(f"{bundle.name}: {bundle.describe()}")
    site = build_site(bundles, load_tasks_vision(args.tasks_vision and args.tasks_vision.expanduser()))
    if out:
        write_site(site, out)
        _print_site(out, site)
    else:
        _serve(PageServer(site, args.host or "127.0.0.1", 8000 if args.port is None else args.port))


def _print_site(folder: Path, site: Site) -> None:
    size = sum(map(len, site.values())) / 1e6
    print(
        f"{folder}: {len(site)} files, {size:.1f} MB, for any web server; for the camera with https\n"
        f"  try it     python -m http.server --bind 127.0.0.1 --directory {folder}\n"
        f"  licenses   {folder / 'NOTICE.txt'}: also of the data that the bundles were trained on"
    )


def _serve(server: PageServer) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    stopped = threading.Event()
    with server, on_signals(lambda number: stopped.set()):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"{server.address}  (Ctrl-C ends it)", flush=True)
        if not server.is_loopback:
            print(
                "warning: everyone in the network of this machine can open the page and copy the bundles; "
                "browsers there give it no camera, since it has no https",
                flush=True,
            )
        stopped.wait()
        server.shutdown()


if __name__ == "__main__":
    main()
