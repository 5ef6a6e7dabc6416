"""Run the Dockerfile without an engine, in trees of plain Debian, and then its entry point as its user. As root:

    debootstrap --variant=minbase bookworm /var/tmp/debian
    python -m tests.container.tree /var/tmp/debian /var/tmp/image --grafana /usr/share/grafana
    python -m tests.container.tree /var/tmp/debian /var/tmp/image --enter

The first call runs every RUN and COPY of every stage, each stage in a tree of its own below the second folder; what the
Dockerfile takes from Grafana's image comes from `--grafana`. `--enter` runs ENTRYPOINT and CMD in the last tree, with
the image's variables. The trees see this machine's network and processes, so it is a test of the files and not of a
container's walls.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.container.dockerfile import Stage, assignments, stages, words

ROOT = Path(__file__).resolve().parents[2]
PLAIN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.pyc")


class Tree:
    """One stage in a folder of its own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.place = "/"
        self.user = "0"

    def copy(self, source: Path, target: str) -> None:
        destination = self.folder / (target if target.startswith("/") else f"{self.place}/{target}").lstrip("/")
        if target.endswith("/"):
            destination = destination / source.name
        destination.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, destination, symlinks=True, ignore=NOT_COPIED, dirs_exist_ok=True)
        else:
            shutil.copy2(source, destination)

    def run(self, command: list[str], extra: dict[str, str]) -> int:
        """The command's exit status, in this tree."""
        mounts = {"proc": "proc", "dev/shm": "tmpfs"}
        for name, kind in mounts.items():
            (self.folder / name).mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "-t", kind, kind, self.folder / name], check=True)
        try:
            who = f"--userspec={self.user}:{self.user}"
            shell = f'cd "{self.place}" && exec "$@"'
            whole = ["chroot", who, str(self.folder), "sh", "-c", shell, "sh", *command]
            return subprocess.run(whole, env={**PLAIN, **extra, **self.environment}, check=False).returncode
        finally:
            for name in mounts:
                subprocess.run(["umount", "-l", self.folder / name], check=True)


def build(debian: Path, target: Path, grafana: Path, extra: dict[str, str]) -> None:
    """Every stage but Grafana's own; the last one becomes the folder `image`."""
    trees: dict[str, Tree] = {}
    for stage in stages((ROOT / "Dockerfile").read_text()):
        if stage.base.startswith("grafana/"):
            continue
        base = trees.get(stage.base)
        folder = target / (stage.name or "image")
        sys.stderr.write(f"== {folder} from {stage.base}\n")
        subprocess.run(["rm", "-rf", "--one-file-system", folder], check=True)
        subprocess.run(["cp", "-a", base.folder if base else debian, folder], check=True)
        if base is None:
            shutil.copy2("/etc/resolv.conf", folder / "etc" / "resolv.conf")
        tree = Tree(folder, dict(base.environment if base else {}))
        follow(stage, tree, trees, grafana, extra)
        trees[stage.name] = tree


def follow(stage: Stage, tree: Tree, trees: dict[str, Tree], grafana: Path, extra: dict[str, str]) -> None:
    """All instructions of a stage, in their order."""
    for word, text in stage.instructions:
        sys.stderr.write(f"   {word} {text[:110]}\n")
        if word == "RUN":
            if status := tree.run(["sh", "-c", text], extra):
                sys.exit(f"RUN ended with {status}: {text}")
        elif word == "COPY":
            *sources, place = text.split()
            from_ = sources.pop(0).removeprefix("--from=") if sources[0].startswith("--from=") else None
            for source in sources:
                if from_ == "grafana":
                    tree.copy(grafana.resolve(), place)
                else:
                    tree.copy((trees[from_].folder if from_ else ROOT) / source.lstrip("/"), place)
        elif word == "WORKDIR":
            tree.place = text
            (tree.folder / text.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif word == "ENV":
            tree.environment |= assignments(text, {**PLAIN, **tree.environment})


def enter(target: Path, extra: dict[str, str]) -> int:
    """Run ENTRYPOINT and CMD as USER."""
    last = stages((ROOT / "Dockerfile").read_text())[-1]
    tree = Tree(target / "image", {})
    for text in last.values("ENV"):
        tree.environment |= assignments(text, PLAIN)
    tree.environment |= extra
    tree.place, tree.user = last.values("WORKDIR")[-1], last.values("USER")[-1]
    return tree.run([*words(last.values("ENTRYPOINT")[-1]), *words(last.values("CMD")[-1])], {})


def main() -> int:
    """As the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.container.tree", description=__doc__)
    parser.add_argument("debian", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--grafana", type=Path, help="a folder with bin, conf and public")
    parser.add_argument("--enter", action="store_true")
    parser.add_argument("--env", action="append", default=[], help="NAME=value for RUN, or for the entry point")
    given = parser.parse_args()
    extra = dict(each.split("=", 1) for each in given.env)
    if os.geteuid():
        parser.error("chroot and mount want root")
    if given.enter:
        return enter(given.target, extra)
    given.target.mkdir(parents=True, exist_ok=True)
    build(given.debian, given.target, given.grafana, extra)
    return 0


if __name__ == "__main__":
    sys.exit(main())
