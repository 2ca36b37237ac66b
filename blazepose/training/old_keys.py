"""Keys of run folders and checkpoints that earlier versions wrote."""

from typing import Any

from omegaconf import DictConfig, OmegaConf

_CONFIG = {
    "optimiser": "optimizer",
    "optimizer.frozen_levels": "frozen_stages",
    "optimizer.frozen_norm": "norm_eval",
    "loss.keep": "distill",
    "loss.mask_share": "mask_fraction",
    "loss.scale": "coordinate_scale",
    "loss.beta": "huber_beta",
    "loss.sigma": "heatmap_sigma",
    "loss.peak": "heatmap_peak_weight",
    "augmentation.mirror": "hflip_prob",
    "augmentation.truncation": "truncation_prob",
    "augmentation.occlusion": "erasing_prob",
    "augmentation.color": "photometric",
    "detector.windows.whole": "full_image_prob",
    "detector.windows.smallest": "min_size",
    "detector.windows.largest": "max_size",
    "detector.windows.upside_down": "any_rotation_prob",
    "detector.windows.mirror": "hflip_prob",
    "detector.windows.company": "copy_paste_prob",
    "detector.windows.backdrop": "background_prob",
    "detector.windows.soft_edges": "feather_prob",
    "detector.windows.color": "photometric",
}
"""Old key of the training config, with its section, and its new name."""

_STATES = {"SampleLoaders": "PoseDataModule"}
"""Classes whose state Lightning stores under their names."""


def rename_config_keys(config: DictConfig) -> None:
    """Rename the old keys of a run's config, in place."""
    for old, new in _CONFIG.items():
        path, _, name = old.rpartition(".")
        section = OmegaConf.select(config, path) if path else config
        if section is not None and name in section:
            section[new] = section.pop(name)


def rename_states(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """Return a checkpoint's content with states under the present names of their classes."""
    return {_STATES.get(key, key): value for key, value in checkpoint.items()}
