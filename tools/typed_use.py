"""What a user's type checker sees: mypy reads this file in the tests, nobody runs it."""
from torch import Tensor, nn
from vidgan_nb.data import Data
from vidgan_nb.dgflow import refine
from vidgan_nb.loops import History
from vidgan_nb.monitor import watch
from vidgan_nb.vid import VIDLoss, kd
from vidgan_nb.wgan import WGANGP, gradient_penalty


def train(data: Data, G: nn.Module, D: nn.Module) -> Tensor:
    loop = WGANGP(data, G, D, nz=64, lr=1e-4)
    history: History = watch(loop, 100)
    print(history['w'])
    loss, terms = loop.critic_loss(data.images(slice(0, 4)), loop.sample(4))
    return loss + terms['gp'] + gradient_penalty(D, data.images(slice(0, 4)), loop.sample(4))


def distil(student: Tensor, teacher: Tensor) -> Tensor:
    return VIDLoss(16, 32)(student, teacher) + kd(student, teacher, 4.)


def better(z: Tensor, G: nn.Module, D: nn.Module) -> Tensor:
    return refine(z, G, D, eta=.1, steps=25).x[-1]
