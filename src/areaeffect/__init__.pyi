"""The public face, for type checkers: the module itself loads nothing until it is asked."""

from areaeffect.api import Evaluation as Evaluation
from areaeffect.api import Picture as Picture
from areaeffect.api import Study as Study
from areaeffect.api import example as example
from areaeffect.api import load as load
from areaeffect.api import load_study as load_study
from areaeffect.commands.evaluate import evaluate as evaluate
