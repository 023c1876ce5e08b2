"""A step of distillation on one core: ours beside RepDistiller's own training loop, WRN-40-2 teaching WRN-16-2 on 64 images of 32x32.

    git clone https://github.com/HobbitLong/RepDistiller FOLDER
    python tools/repdistiller.py FOLDER [--rounds 7] [kd at vid ...]

Both take turns in one process, on one thread, in float32; a turn is a few steps. Ours also draws, shifts, flips and normalises its images;
theirs gets batches that were made before, so that the time is that of the loop alone. Printed are medians over the rounds: of the processor
time of a step, and of the ratio of a round, with the smallest and the largest.
"""
import argparse, contextlib, io, statistics, sys, time, warnings
from pathlib import Path
from types import SimpleNamespace
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# our name of a loss -> theirs, the name of its class there, and the weights of labels, softened logits and the loss in their scripts
LOSSES = dict(kd=('kd', 'DistillKL', .1, .9, 0), fitnet=('hint', 'HintLoss', 1, 0, 100), at=('attention', 'Attention', 1, 0, 1000),
              sp=('similarity', 'Similarity', 1, 0, 3000), vid=('vid', 'VIDLoss', 1, 0, 1), rkd=('rkd', 'RKDLoss', 1, 0, 1),
              pkt=('pkt', 'PKT', 1, 0, 30000), nst=('nst', 'NSTLoss', 1, 0, 50))
BATCH, STEPS = 64, 4


def theirs(loss, x, c):
    "A function that takes a few steps with RepDistiller's networks, losses and loop"
    import distiller_zoo
    import torch
    from helper.loops import train_distill
    from models import model_dict
    from models.util import ConvReg
    name, cls, gamma, alpha, beta = LOSSES[loss]
    S, T = (model_dict[k](num_classes=100) for k in ('wrn_16_2', 'wrn_40_2'))
    feat_s, feat_t = (net.eval()(torch.randn(2, 3, 32, 32), is_feat=True)[0] for net in (S, T))
    modules = [S]
    make = getattr(distiller_zoo, cls)
    if loss == 'kd': criterion = make(4)
    elif loss == 'vid':
        channels = [(s.shape[1], t.shape[1]) for s, t in zip(feat_s[1:-1], feat_t[1:-1], strict=True)]
        criterion = torch.nn.ModuleList(make(s, t, t) for s, t in channels)
    else: criterion = make()
    if loss == 'fitnet': modules.append(ConvReg(feat_s[2].shape, feat_t[2].shape))
    learnt = torch.nn.ModuleList([*modules, criterion])
    opt = torch.optim.SGD(learnt.parameters(), .05, .9, weight_decay=5e-4)
    criteria = [torch.nn.CrossEntropyLoss(), distiller_zoo.DistillKL(4), criterion]
    options = SimpleNamespace(distill=name, gamma=gamma, alpha=alpha, beta=beta, hint_layer=2, print_freq=10**9)
    batches = [(x[i:i + BATCH], c[i:i + BATCH], torch.arange(i, i + BATCH)) for i in range(0, STEPS*BATCH, BATCH)]
    def steps():
        with contextlib.redirect_stdout(io.StringIO()):
            train_distill(1, batches, torch.nn.ModuleList([*modules, T]), criteria, opt, options)
    return steps


def ours(loss, x, c):
    "A function that takes as many steps of the recipe zoo-cifar100"
    from vidgan_nb.classifiers import WRN
    from vidgan_nb.data import Data
    from vidgan_nb.distill import DistilBy
    from vidgan_nb.recipes import load_recipe
    data = Data(((x + 1)*127.5).byte(), c, classes=[str(k) for k in range(100)])
    settings = load_recipe(f'zoo-cifar100@{loss}')['loop']
    settings.pop('teacher')
    loop = DistilBy(data, WRN(40, 2, classes=100), WRN(16, 2, classes=100), **settings | dict(trust=True))
    def steps():
        for _ in range(STEPS): loop.step()
    return steps


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('folder', type=Path, help='a clone of RepDistiller')
    p.add_argument('losses', nargs='*', help=f'which losses, of {", ".join(LOSSES)} (default: all)')
    p.add_argument('--rounds', type=int, default=7, help='rounds, in each of which both have a turn (default: %(default)s)')
    a = p.parse_intermixed_args()
    if not (a.folder/'helper'/'loops.py').is_file(): p.error(f'{a.folder} is no clone of RepDistiller: it has no helper/loops.py')
    if wrong := [k for k in a.losses if k not in LOSSES]: p.error(f'no such loss: {", ".join(wrong)}; there are {", ".join(LOSSES)}')
    sys.path.insert(1, str(a.folder.resolve()))
    import torch
    torch.set_num_threads(1)
    warnings.filterwarnings('ignore', 'size_average')                                # how their KL divergence sums
    torch.manual_seed(0)
    x, c = torch.rand(STEPS*BATCH, 3, 32, 32)*2 - 1, torch.arange(STEPS*BATCH) % 100
    for loss in a.losses or LOSSES:
        sides = ours(loss, x, c), theirs(loss, x, c)
        for f in sides: f()
        took = []
        for _ in range(a.rounds):
            clock = [time.process_time()]
            for f in sides:
                f()
                clock.append(time.process_time())
            took.append((clock[1] - clock[0], clock[2] - clock[1]))
        ratios = sorted(t/o for o, t in took)
        o, t = (1000*statistics.median(v)/STEPS for v in zip(*took, strict=True))
        span = f'{ratios[0]:.2f} to {ratios[-1]:.2f}'
        print(f'{loss:7} RepDistiller {t:5.0f} ms, ours {o:5.0f} ms a step: {statistics.median(ratios):.2f} times ({span})', flush=True)


if __name__ == '__main__': main()
