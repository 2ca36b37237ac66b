"""Speed of samples, training and exported networks. Prints a table.

    python benchmarks/speed.py samples lsp:data/lspet:train
    python benchmarks/speed.py memory
    python benchmarks/speed.py step model=full            # a bare loop, the batch already in memory
    python benchmarks/speed.py training model=full "data.train=[lsp:...]" "data.val=[lsp:...]"
    python benchmarks/speed.py exported pose_landmarker_full.task   # its networks, and the same through torch

`training` runs train.py for two short epochs and compares its images/s with those of `step`.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import hydra
import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from blazepose.config.landmark import Augmentation, LandmarkLossConfig, PersonFilter
from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.data.datamodule import read_filtered
from blazepose.data.dataset import PoseDataset
from blazepose.data.readers import as_list
from blazepose.export.export_module import ExportModule
from blazepose.hydra_app import as_typed, expand_home
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.models.landmark_net import LandmarkNet, describe_net
from blazepose.models.precise_bn import precise_bn
from blazepose.models.tflite_import.load_tflite import load_tflite
from blazepose.models.variants import landmark_variant
from blazepose.skeletons import COCO17, LSP14
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, read_tflite
from blazepose.tflite.convert import to_tflite
from blazepose.tflite.float16 import store_float16
from blazepose.training.landmark_module import LandmarkModule
from blazepose.training.malloc import keep_freed_buffers
from blazepose.training.optimizer import build_optimizer

ROOT = Path(__file__).resolve().parents[1]


def samples(spec: str, count: int = 1000) -> None:
    """Measure augmented samples a second on one core."""
    cv2.setNumThreads(0)
    sources = read_filtered([spec], PersonFilter())
    cases = {
        "all augmentation": Augmentation(),
        "geometry and occluders": Augmentation(photometric=False),
        "none": None,
    }
    for name, augmentation in cases.items():
        dataset = PoseDataset(sources, LANDMARK_INPUT, augmentation)
        for i in range(50):
            dataset[i]
        start = time.process_time()
        for i in range(count):
            dataset[i]
        print(f"samples, {name}: {count / (time.process_time() - start):.0f} a second a core")


def memory(people: int = 100_000) -> None:
    """Measure the memory of a process that reads 100,000 people in 50,000 images from a COCO-style file."""
    rng = np.random.default_rng(0)
    names = list(COCO17.values())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.json"
        image_names = [f"{number:012d}.jpg" for number in range(people // 2)]
        for name in image_names:
            (Path(folder) / name).touch()
        images = [{"id": i, "file_name": n, "width": 640, "height": 480} for i, n in enumerate(image_names)]
        keypoints = np.concatenate(
            [rng.uniform(0, 480, (people, 17, 2)).round(2), rng.integers(1, 3, (people, 17, 1))], axis=2
        )
        annotations = [
            {
                "id": i,
                "image_id": i // 2,
                "category_id": 1,
                "keypoints": k.ravel().tolist(),
                "bbox": [10, 10, 90, 200],
                "num_keypoints": 17,
            }
            for i, k in enumerate(keypoints)
        ]
        category = {"id": 1, "name": "person", "keypoints": names, "skeleton": []}
        path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": [category]}))
        del images, annotations, keypoints
        code = (
            "import sys; from blazepose.data.readers import read_source\n"
            "rss = lambda: int(open('/proc/self/statm').read().split()[1]) // 256\n"
            "before = rss(); source = read_source(sys.argv[1]); after = rss()\n"
            # Not getrusage, whose maximum begins with that of the process that started this one.
            "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
            "peak = int(peak.split()[1]) // 1024\n"
            "print(f'memory: {len(source.annotations)} people take {after - before} MB, '\n"
            "      f'{peak - before} MB at most while they are read')"
        )
        subprocess.run([sys.executable, "-c", code, f"landmarks:{path}"], cwd=ROOT, check=True)


def step(arguments: list[str], seconds: float = 60.0) -> float:
    """Measure images a second of forward, losses, backward and AdamW on one batch in memory.

    Args:
        arguments: arguments of train.py, which set the network and the batch size.
        seconds: duration of the measurement.
    """
    with hydra.initialize_config_dir(version_base="1.3", config_dir=str(ROOT / "configs")):
        cfg = hydra.compose("train", arguments)
    batch_size = cfg.loader.batch_size
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    keep_freed_buffers()
    net = LandmarkNet(landmark_variant(cfg.model.name, cfg.model.wiring), cfg.model.gradient_stop)
    names = tuple(LSP14.values())
    supervised = SupervisedOutputs(landmarks=names, heatmaps=names, outputs=("presence",))
    module = LandmarkModule(net, LandmarkLossConfig(), OptimizerConfig(), Stages(joint=1), supervised, {}).to(
        device
    )
    optimizer = build_optimizer(net, OptimizerConfig())
    batch = _random_batch(batch_size, device)
    rates = []
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        now = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            terms = module.losses(module(batch["image"]), batch)
        optimizer.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        rates.append(batch_size / (time.perf_counter() - now))
    rate = float(np.median(rates[3:]))
    print(f"bare loop, {describe_net(net)}, batch {batch_size}, {device.type}: {rate:.1f} images/s")
    return rate


def _random_batch(size: int, device: torch.device) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    labelled = torch.zeros(size, 39, dtype=torch.bool)
    labelled[:, 11:17] = labelled[:, 23:29] = labelled[:, 33:35] = True  # those of LSP
    batch = {
        "image": torch.randint(0, 256, (size, 256, 256, 3), dtype=torch.uint8, generator=generator),
        "points": torch.rand(size, 39, 3, generator=generator),
        "labelled": labelled,
        "z_labelled": torch.zeros_like(labelled),
        "visibility": torch.full((size, 33), -1, dtype=torch.int8),
        "presence": torch.ones(size, 33, dtype=torch.int8),
        "world": torch.zeros(size, 33, 3),
        "world_labelled": torch.zeros(size, 33, dtype=torch.bool),
        "pose": torch.ones(size),
    }
    return {name: values.to(device) for name, values in batch.items()}


def training(arguments: list[str]) -> None:
    """Compare images/s of train.py and the bare loop, in turns, so that a busy machine slows both."""
    before = step(arguments)
    short = [
        "stages.joint=2",
        "trainer.limit_train_batches=40",
        "trainer.limit_val_batches=1",
        "trainer.log_every_n_steps=10",
    ]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "train.py"), *arguments, *absolute_paths(arguments), *short]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        (run,) = Path(folder).glob("runs/landmark/*")
        rates = logged_rates(run)
    after = step(arguments)
    bare, actual = (before + after) / 2, float(np.median(rates[len(rates) // 4 :]))
    print(f"train.py: {actual:.1f} images/s, {actual / bare:.2f} of the bare loop ({os.cpu_count()} cores)")


def absolute_paths(arguments: list[str]) -> list[str]:
    """Make the data paths of a command line of train.py absolute, to run it in another folder."""
    with hydra.initialize_config_dir(version_base="1.3", config_dir=str(ROOT / "configs")):
        data = expand_home(hydra.compose("train", list(map(as_typed, arguments)))).data
    overrides = []
    for split in ("train", "val"):
        parts = [spec.partition(":") for spec in as_list(data[split])]
        specs = [f"'{reader}:{Path.cwd() / path}'" for reader, _, path in parts]
        overrides.append(f"data.{split}=[{','.join(specs)}]")
    folders = [f"'{Path.cwd() / folder}'" for folder in as_list(data.negatives)]
    return [*overrides, f"data.negatives=[{','.join(folders)}]"]


def logged_rates(run: Path) -> list[float]:
    """Read the images/s that a training wrote to TensorBoard."""
    log = EventAccumulator(str(run)).Reload()
    return [event.value for event in log.Scalars("train/images_per_second")]


def exported(bundle: Path, runs: int = 150) -> None:
    """Compare LiteRT's time for Google's networks and for the same ones imported and exported again."""
    print("median ms of LiteRT           1 thread: file, ours, ratio      2 threads: file, ours, ratio")
    for entry in (LANDMARKS_ENTRY, DETECTOR_ENTRY):
        content = read_tflite(bundle, entry)
        start = time.perf_counter()
        net = load_tflite(content)
        imported = time.perf_counter() - start
        ours = to_tflite(ExportModule(net), net.input_spec, store=store_float16)
        columns = []
        for threads in (1, 2):
            original_ms, ours_ms = _side_by_side([content, ours], threads, runs)
            columns.append(f"{original_ms:6.2f} {ours_ms:6.2f} {ours_ms / original_ms:6.3f}")
        print(f"{entry:28}  {'          '.join(columns)}     imported in {imported:.1f} s")
        if isinstance(net, LandmarkNet):
            crops = [torch.rand(32, 3, net.input_spec.size, net.input_spec.size) for _ in range(8)]
            start = time.perf_counter()
            precise_bn(net, crops)
            print(f"{'':28}  BatchNorm statistics of 256 crops in {time.perf_counter() - start:.1f} s")


def _side_by_side(files: list[bytes], threads: int, runs: int) -> list[float]:
    """Measure median milliseconds of several TFLite files, run in turns, so that a busy machine slows all."""
    engines = [Interpreter(model_content=content, num_threads=threads) for content in files]
    times: list[list[float]] = [[] for _ in engines]
    for engine in engines:
        engine.allocate_tensors()
        (detail,) = engine.get_input_details()
        engine.set_tensor(detail["index"], np.full(detail["shape"], 0.5, np.float32))
    for _ in range(runs):
        for engine, record in zip(engines, times, strict=True):
            start = time.perf_counter()
            engine.invoke()
            record.append(1000 * (time.perf_counter() - start))
    return [float(np.median(record[10:])) for record in times]


if __name__ == "__main__":
    benchmark, *rest = sys.argv[1:] or ["help"]
    if benchmark == "samples" and rest:
        samples(rest[0], *map(int, rest[1:]))
    elif benchmark == "memory":
        memory()
    elif benchmark == "step":
        step(rest)
    elif benchmark == "training":
        training(rest)
    elif benchmark == "exported" and rest:
        exported(Path(rest[0]))
    else:
        sys.exit(__doc__)
