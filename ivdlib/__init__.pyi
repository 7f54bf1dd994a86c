"""What `ivdlib` offers, for editors; `__init__.py` reads it, and loads each when it is used."""

from .data.case import Case as Case
from .data.cases import load_case as load_case
from .data.cases import load_cases as load_cases
from .evaluation.challenge import score as score
from .networks.by_name import build as build
from .networks.deeplabv3plus import DeepLabV3PlusConfig as DeepLabV3PlusConfig
from .networks.fds_cnn import FDSCNNConfig as FDSCNNConfig
from .networks.unet import UNetConfig as UNetConfig
from .phantom.writer import make_phantom as make_phantom
from .preprocessing.folds import Fold as Fold
from .preprocessing.folds import patient_folds as patient_folds
from .preprocessing.fusion import fuse as fuse
from .training.experiment import Experiment as Experiment
from .training.inference import predict as predict
from .training.weights import load_model as load_model

__version__: str
