"""What a run is asked to do: RunSpec and its parts, with every bound. The same model serves form, API, CLI and worker.

Imports no torch. A spec is complete: the seeds it derives from its replicate are stored in it.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, model_validator

from core.catalog import architectures as catalog
from core.catalog.cache import cached
from core.catalog.copies import Copy, copy_of, described_copy
from core.catalog.datasets import DATASETS, DataSet
from core.catalog.folder import Contents, FolderUnusable, contents_of, described
from core.catalog.initializers import NORM_INITIALIZERS
from core.catalog.model import Misfit, Model
from core.catalog.normalisation import Normalisation
from core.catalog.plan import Plan
from core.catalog.policies import policy
from core.catalog.policy import Policy, Trains
from core.catalog.residual import Shape
from core.catalog.tasks.tasks import WHOLE, ImageTask, task
from core.run import computation
from core.run.adaptation import Adaptation, enough, obstacle
from core.run.names import Architecture, DataSetName, PolicyName, TaskName, WeightInitializerName
from core.run.recipe import Recipe, key_of

MAX_EPOCHS = 400
MAX_STEPS = 2**31 - 1
"""The most steps of a run: databases keep a step in 32 bits."""
STORED = "stored"
"""The context in which to validate a spec that was kept: one from before there were versions of the draw names none."""
PURPOSES = ("init", "order", "augmentation", "choice")


class Init(Model):
    """What the random values are drawn from."""

    weights: WeightInitializerName = Field("he-normal", description="Convolutions and output layer.")
    norm: key_of(NORM_INITIALIZERS) = Field("uniform", description="γ and β.")  # type: ignore[valid-type]


def derive_seed(purpose: str, replicate: int) -> int:
    """The seed (32 bits) of replicate number `replicate` for one of PURPOSES."""
    return int.from_bytes(hashlib.sha256(f"onlybn/{purpose}/{replicate}".encode()).digest()[:4], "big")


Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Seeds(Model):
    """One seed for each source of randomness, so that each can be held fixed while another varies."""

    init: Seed
    order: Seed
    augmentation: Seed
    choice: Seed

    @classmethod
    def of(cls, replicate: int) -> Seeds:
        return cls(**{purpose: derive_seed(purpose, replicate) for purpose in PURPOSES})


class RunSpec(Model):
    """One training of one architecture under one policy with one seed."""

    architecture: Architecture
    policy: PolicyName
    dataset: DataSetName
    task: TaskName = Field(
        WHOLE,
        exclude_if=lambda name: name == WHOLE,
        description="The variant of the data set: rotated images, permuted pixels, or half of the classes.",
    )
    epochs: int = Field(ge=1, le=MAX_EPOCHS, description="Passes over the training images.")
    replicate: int = Field(0, ge=0, le=9999, description="Index from which the seeds are derived.")
    train_examples: int | None = Field(
        None, ge=16, description="Train on this many images (the same for every replicate); null: all."
    )
    test_examples: int | None = Field(None, ge=16, description="Test on this many images; null: all.")
    recipe: Recipe = Recipe()
    init: Init = Init()
    norm: Normalisation = Normalisation()
    seeds: Seeds
    draw: Literal[1, 2] = Field(
        2,
        description="Version of the random draw: 2 gives the same numbers for a seed on every machine; 1 is "
        "PyTorch's, used by runs from before version 0.3.",
    )
    start: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 of the file, a capsule or a safetensors state dict, whose tensors replace the random "
        "ones; null: all are random.",
    )
    contents: Contents | None = Field(
        None, description="The contents of a streamed data set's folder; omitted: what is there now."
    )
    copy_of_data: Copy | None = Field(
        None,
        description="Which copy of an in-memory data set is used instead of the original files; omitted: the copy "
        "set now; null: the original.",
    )
    adapt: Adaptation | None = Field(
        None,
        exclude_if=lambda adapt: adapt is None,
        description="After training, adapt the network to corrupted test images without labels, and keep what that "
        "gives with the analyses; null: do not. The training is the same.",
    )
    name: str | None = Field(
        None, pattern=r"^[\w .,:;()+×=/γβ-]{1,64}$", description="A label; it does not change the run."
    )

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any, info: ValidationInfo) -> Any:
        """Derive what was left open: the seeds from the replicate, the norm initialiser from the policy, the contents
        of a folder from the folder."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        if info.context == STORED:
            data.setdefault("draw", 1)
        seeds = data.get("seeds")
        if seeds is None or isinstance(seeds, dict):
            replicate = data.get("replicate", 0)
            valid = isinstance(replicate, int) and 0 <= replicate <= 9999
            data["seeds"] = {**Seeds.of(replicate if valid else 0).model_dump(), **(seeds or {})}
        init = data.get("init")
        if isinstance(data.get("policy"), str) and (init is None or (isinstance(init, dict) and "norm" not in init)):
            data["init"] = {**(init or {}), **_norm_initializer(data["policy"])}
        dataset = data.get("dataset")
        if data.get("contents") is None and isinstance(dataset, str) and dataset in DATASETS:
            data["contents"] = _contents_here(dataset) if DATASETS[dataset].streamed else None
        if isinstance(dataset, str) and dataset in DATASETS and "copy_of_data" not in data and info.context != STORED:
            data["copy_of_data"] = copy_of(DATASETS[dataset])
        return data

    @model_validator(mode="after")
    def _fits_the_data(self) -> RunSpec:
        if self.contents and not self.data.streamed:
            raise Misfit("dataset", f"contents describe a folder of images; {self.dataset} is not one")
        self.variant.check(self.data)
        for field, have in (("train_examples", self.data.train), ("test_examples", self.data.test)):
            asked = getattr(self, field)
            if asked is not None and asked > have:
                images = self.dataset if self.task == WHOLE else f"{self.task} of {self.dataset}"
                raise Misfit(field, f"{field} must be from 16 to {have:,} for {images}, got {asked}")
        return self

    @model_validator(mode="after")
    def _can_be_built(self) -> RunSpec:
        if self.recipe.optimizer == computation.LEAST_SQUARES and (
            reason := computation.obstacle(self.architecture, self.policy, self.norm, self.start)
        ):
            raise Misfit("recipe.optimizer", reason)
        if self.total_steps > MAX_STEPS:
            raise Misfit(
                "epochs",
                f"the run would have {self.total_steps:,} steps, more than {MAX_STEPS:,}: choose fewer epochs, fewer "
                "images or larger batches",
            )
        if self.recipe.sync_batchnorm and self.norm.kind != "batch":
            raise Misfit(
                "recipe.sync_batchnorm",
                f"sync_batchnorm is for BatchNorm; {self.norm.title} has no statistics of the batch",
            )
        smallest = min(conv.size for conv in self.plan.convolutions)
        if smallest == 1 and self.norm.kind == "instance":
            raise Misfit(
                "norm.kind",
                f"InstanceNorm needs more than one pixel per channel; {self.architecture} shrinks the images of "
                f"{self.dataset} to one",
            )
        if self.adapt:
            self._check_adaptation(self.adapt)
        norms = [unit.norm for unit in self.plan.units() if unit.convolution.size == 1]
        if any(norm.kind == "group" and norm.groups == norm.channels for norm in norms):
            raise Misfit(
                "norm.groups",
                f"GroupNorm needs more than one value per group; {self.architecture} shrinks the images of "
                f"{self.dataset} to one pixel, so with {self.norm.groups} groups some have a single channel: choose "
                f"fewer norm.groups",
            )
        if smallest == 1 and self.norm.kind == "batch" and self.images[0] % self.recipe.batch_size == 1:
            raise Misfit(
                "recipe.batch_size",
                f"the last batch would be a single image, which BatchNorm cannot normalise: {self.images[0]} training "
                f"images in batches of {self.recipe.batch_size}",
            )
        if self.policy != "none" and not self.trains:
            raise Misfit(
                "policy",
                f"policy {self.policy} would train nothing: {self.architecture} with {self.norm.title} has no such "
                "parameters",
            )
        return self

    def _check_adaptation(self, adaptation: Adaptation) -> None:
        if reason := obstacle(self.norm):
            raise Misfit("adapt", reason)
        images = adaptation.images or self.images[1]
        if images > self.images[1]:
            raise Misfit("adapt.images", f"adapt.images must be at most {self.images[1]:,}, got {images:,}")
        try:
            enough(adaptation, images)
        except Misfit as error:
            raise Misfit("adapt.batch_size", f"adapt.{error}") from error

    @property
    def teacher(self) -> RunSpec | None:
        """The training of the network from which γ and β are computed; None where they train.

        It has a weight seed of its own, so that no filter of this network is one that the teacher began with.
        """
        if self.recipe.optimizer != computation.LEAST_SQUARES:
            return None
        recipe = self.recipe.model_copy(update={"optimizer": "sgd"})
        seeds = self.seeds.model_copy(update={"init": derive_seed("teacher", self.seeds.init)})
        fields = {"architecture": computation.teacher_of(self.architecture), "policy": "all", "adapt": None}
        return self.model_copy(update={**fields, "recipe": recipe, "seeds": seeds})

    @property
    def data(self) -> DataSet:
        """The data set, with the counts of its images in this task; a streamed one has those of its folder."""
        whole = described_copy(described(DATASETS[self.dataset], self.contents), self.copy_of_data)
        return self.variant.described(whole)

    @property
    def variant(self) -> ImageTask:
        """The task itself, not its name."""
        return task(self.task)

    @property
    def plan(self) -> Plan:
        return catalog.plan(self.architecture, self.data.shape, len(self.data.classes), self.norm)

    @property
    def selection(self) -> Policy:
        """The policy itself, not its name."""
        return policy(self.policy)

    @property
    def trains(self) -> Trains:
        """What trains in the network: how many numbers of which tensor."""
        return _trains(self.policy, self.architecture, self.data.shape, len(self.data.classes), self.norm)

    @property
    def images(self) -> tuple[int, int]:
        """How many images one epoch trains on, and how many a test looks at."""
        return self.train_examples or self.data.train, self.test_examples or self.data.test

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch; the last, smaller one counts too."""
        return -(-self.images[0] // self.recipe.batch_size)

    @property
    def total_steps(self) -> int:
        return self.epochs * self.steps_per_epoch

    @property
    def own_seeds(self) -> dict[str, int]:
        """The seeds, by purpose, that do not derive from the replicate: somebody chose them."""
        derived = Seeds.of(self.replicate).model_dump()
        return {purpose: seed for purpose, seed in self.seeds.model_dump().items() if seed != derived[purpose]}

    @property
    def digest(self) -> str:
        """SHA-256 of all that determines the result: everything but the name."""
        # A run from before there were versions of the draw, or copies, keeps its digest.
        unsaid = {"name"} | ({"draw"} if self.draw == 1 else set()) | (set() if self.copy_of_data else {"copy_of_data"})
        rows = json.dumps(self.model_dump(mode="json", exclude=unsaid), sort_keys=True)
        return hashlib.sha256(rows.encode()).hexdigest()


@cached(8 << 20, lambda trains: 200 * len(trains))
def _trains(name: str, architecture: str, shape: Shape, classes: int, norm: Normalisation) -> Trains:
    return policy(name).trains(catalog.plan(architecture, shape, classes, norm))


def _norm_initializer(policy_name: str) -> dict[str, str]:
    """The norm initialiser that a policy wants where the spec names none."""
    try:
        wanted = policy(policy_name).norm
    except ValueError:
        return {}
    return {"norm": wanted} if wanted else {}


def _contents_here(dataset: str) -> Contents:
    """What lies in the folder of a streamed data set. Raises Misfit where it cannot be used."""
    try:
        return contents_of(dataset)
    except FolderUnusable as error:
        raise Misfit("dataset", str(error)) from error
