"""Every distillation loss, and SimCLR, BYOL and Barlow Twins, against reference implementations: values and gradients on the same inputs, in float64.

    python tools/parity.py                 all losses and networks
    python tools/parity.py crd vgg8        some of them

The inputs and the weights are drawn by NumPy's RandomState, whose numbers never change, from the seeds in `CASES` and `NETS`.
tools/parity.json holds what RepDistiller (b84f547c5db6), mdistiller (a08d46f10d61) and image_classification_sota (6f7a70a1dd57,
DIST) gave on them, and lightly (1.6.0) for the losses on two views (`SSL`): figures that were measured by running those
repositories, no code of theirs. Prints a line a loss with the largest relative difference, and ends with a non-zero status if one
is above 1e-6.
"""
import json, sys, tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
FILE = Path(__file__).with_suffix('.json')
MOST = 1e-6
MAPS = [(8, 16, 8, 8), (8, 24, 4, 4)]              # of the student, of the teacher
# name of a case -> loss, seed, shapes of the student's and of the teacher's inputs, their scale, non-negative?, options
CASES = {
    'sp': ('sp', 1, MAPS, 1., False, {}), 'sp, after ReLU': ('sp', 2, [(12, 10, 4, 4), (12, 32, 8, 8)], 3., True, {}),
    'rkd': ('rkd', 3, [(8, 16), (8, 24)], 1., False, {}), 'rkd, after ReLU': ('rkd', 4, [(12, 64), (12, 32)], 3., True, {}),
    'pkt': ('pkt', 5, [(8, 16), (8, 24)], 1., False, {}), 'pkt, after ReLU': ('pkt', 6, [(12, 64), (12, 32)], 3., True, {}),
    'cc': ('cc', 7, [(8, 16), (8, 24)], 1., False, dict(dim=6)), 'cc, after ReLU': ('cc', 8, [(12, 64), (12, 32)], 3., True, dict(dim=128)),
    'nst': ('nst', 9, MAPS, 1., False, {}), 'nst, after ReLU': ('nst', 10, [(6, 10, 4, 4), (6, 32, 8, 8)], 3., True, {}),
    'crd': ('crd', 11, [(8, 16), (8, 24)], 1., False, dict(n=40, negatives=13, dim=6)),
    'crd, after ReLU': ('crd', 12, [(12, 64), (12, 32)], 3., True, dict(n=100, negatives=64, dim=128)),
    'dkd': ('dkd', 13, [(8, 10), (8, 10)], 1., False, dict(T=4., beta=8.)), 'dkd, large logits': ('dkd', 14, [(16, 100), (16, 100)], 8., False, dict(T=4., beta=2.)),
    'dist': ('dist', 15, [(8, 10), (8, 10)], 1., False, dict(T=4.)), 'dist, large logits': ('dist', 16, [(16, 100), (16, 100)], 8., False, dict(T=1.)),
    'reviewkd': ('reviewkd', 17, [(4, 8, 16, 16), (4, 12, 8, 8), (4, 16, 4, 4), (4, 16), (4, 6, 16, 16), (4, 10, 8, 8), (4, 20, 4, 4), (4, 20)], 1., False, {}),
    'reviewkd, other sizes': ('reviewkd', 18, [(4, 8, 8, 8), (4, 12, 4, 4), (4, 12), (4, 6, 16, 16), (4, 10, 8, 8), (4, 10)], 2., True, {}),
    'hcl': ('hcl', 19, [(4, 5, 8, 8), (4, 5, 8, 8)], 1., False, {}), 'hcl, odd size': ('hcl', 20, [(4, 5, 3, 3), (4, 5, 3, 3)], 1., False, {}),
    'kd': ('kd', 21, [(8, 10), (8, 10)], 1., False, dict(T=4.)), 'at': ('at', 22, MAPS, 1., True, {}),
    'fitnet': ('fitnet', 23, [(8, 16, 8, 8), (8, 24, 8, 8)], 1., True, {}), 'vid': ('vid', 24, MAPS, 1., True, {}),
}
# losses on two views of the same images: name of a case -> loss, seed, shape of either input, their scale, options; both get gradients
SSL = {
    'nt-xent': ('nt-xent', 31, (8, 16), 1., dict(T=.5)), 'nt-xent, cold': ('nt-xent', 32, (24, 6), 3., dict(T=.07)),
    'barlow': ('barlow', 33, (16, 6), 1., dict(lam=5e-3)), 'barlow, more dimensions': ('barlow', 34, (8, 40), .1, dict(lam=.5)),
    'byol': ('byol', 35, (8, 16), 1., {}), 'byol, long': ('byol', 36, (24, 6), 30., {}),
}


def draw(seed, shapes, scale=1., positive=False):
    "Tensors in float64 of these shapes: standard normal numbers times `scale`, negative ones set to 0 if `positive`"
    import torch
    rng = np.random.RandomState(seed)
    found = [torch.from_numpy(scale*rng.standard_normal(s)) for s in shapes]
    return [x.clamp(min=0) for x in found] if positive else found


def fill(parameters, seed, scale=.3):
    "Write numbers of the generator into parameters, in order"
    import torch
    rng = np.random.RandomState(seed)
    for p in parameters:
        with torch.no_grad(): p.copy_(torch.from_numpy(scale*rng.standard_normal(tuple(p.shape))))


def integers(seed, high, shape):
    "Whole numbers below `high`"
    import torch
    return torch.from_numpy(np.random.RandomState(seed).randint(0, high, shape))


def figures(loss, tensors):
    "The value of a loss, and of each gradient its norm, sum and four entries"
    import torch
    grads = torch.autograd.grad(loss, tensors)
    def few(g): return [g.flatten()[k].item() for k in np.linspace(0, g.numel() - 1, 4).astype(int)]
    return dict(value=loss.item(), gradients=[[g.norm().item(), g.sum().item(), *few(g)] for g in grads])


def inputs(name):
    "loss, student's inputs (which get gradients), teacher's inputs, seed, options"
    loss, seed, shapes, scale, positive, options = CASES[name]
    found, half = draw(seed, shapes, scale, positive), len(shapes)//2
    return loss, [x.requires_grad_() for x in found[:half]], found[half:], seed, options


def crd_numbers(seed, n, options):
    "The images of two batches, and the images that each is told from"
    i = [np.random.RandomState(seed + k).permutation(options['n'])[:n] for k in (50, 51)]
    import torch
    return [(torch.from_numpy(a), integers(seed + 60 + k, options['n'], (n, options['negatives']))) for k, a in enumerate(i)]


def ours(name):
    "The figures of the library's loss"
    import torch
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try: return _ours(name)
    finally: torch.set_default_dtype(before)


def _ours(name):
    from vidgan_nb import crd, distill as D, vid
    loss, s, t, seed, options = inputs(name)
    plain = dict(sp=D.sp, rkd=D.rkd, pkt=D.pkt, nst=D.nst, hcl=crd.hcl, dist=D.dist, kd=vid.kd, at=vid.Attention())
    if loss in plain: return figures(plain[loss](s[0], t[0], **options), s)
    if loss == 'dkd': return figures(D.dkd(s[0], t[0], integers(seed, s[0].shape[1], len(s[0])), **options), s)
    if loss == 'crd': return _our_crd(crd.CRD, s, t, seed, options)
    def channels(fs): return [f.shape[1] for f in fs]
    make = dict(cc=lambda: D.CC(*channels(s), *channels(t), options['dim']), reviewkd=lambda: crd.ReviewKD(channels(s), channels(t)),
                fitnet=lambda: vid.Hint(*channels(s), *channels(t), 'linear'), vid=lambda: vid.VIDLoss(*channels(s), *channels(t), 'relu3', 5., rate=1.))
    f = make[loss]()
    own = list(f.head.parameters()) if loss in ('vid', 'fitnet') else list(f.parameters())
    fill(own, seed + 100)
    value = f(s, t) if loss == 'reviewkd' else f(s[0], t[0])
    rest = [f.raw] if loss == 'vid' else []
    return figures(2*value if loss == 'fitnet' else value, [*s, *own, *rest])            # our hint is half the mean square


def our_ssl(name):
    "The figures of the library's loss on two views"
    from vidgan_nb import ssl, ssl_more
    loss, seed, shape, scale, options = SSL[name]
    a, b = (x.requires_grad_() for x in draw(seed, [shape, shape], scale))
    f = {'nt-xent': ssl_more.nt_xent, 'barlow': ssl_more.barlow_loss, 'byol': lambda a, b: ssl.cosine_loss(a, b, stop=False)}[loss]
    return figures(f(a, b, **options), [a, b])


def _our_crd(CRD, s, t, seed, options):
    f = CRD(s[0].shape[1], t[0].shape[1], options['n'], options['dim'])
    fill([*f.parameters(), f.memory_s, f.memory_t], seed + 100)
    rounds = [figures(f(s[0], t[0], i, j), [*s, *f.parameters()]) for i, j in crd_numbers(seed, len(s[0]), options)]
    return dict(value=rounds[0]['value'], again=rounds[1]['value'], memory=[f.memory_s.sum().item(), f.memory_t.square().sum(0)[0].item()],
                gradients=rounds[0]['gradients'] + rounds[1]['gradients'])


def gap(a, b):
    "The largest relative difference of two sets of figures; of a gradient all numbers relative to its norm"
    worst = 0.
    for k in a.keys() | b.keys():
        if k == 'gradients':
            if len(a[k]) != len(b[k]): return float('inf')
            for g, h in zip(a[k], b[k]): worst = max(worst, *(abs(u - v)/max(abs(h[0]), 1e-12) for u, v in zip(g, h, strict=True)))
        else:
            u, v = np.ravel(a[k]), np.ravel(b[k])
            worst = max(worst, float(np.max(np.abs(u - v)/np.maximum(np.abs(v), 1e-12))))
    return worst


def losses(words=()):
    "Name of a case -> the largest relative difference"
    measured = json.loads(FILE.read_text(encoding='utf-8'))['losses']
    found = {name: gap(ours(name), measured[name]) for name in CASES if not words or CASES[name][0] in words}
    return found | {name: gap(our_ssl(name), measured[name]) for name in SSL if not words or SSL[name][0] in words}


# name in RepDistiller -> our class and its parameters
NETS = {'resnet8x4': ('ResNetCIFAR', dict(depth=8, shortcut='B', width=4, stem=32)), 'resnet32x4': ('ResNetCIFAR', dict(depth=32, shortcut='B', width=4, stem=32)),
        **{f'resnet{d}': ('ResNetCIFAR', dict(depth=d, shortcut='B')) for d in (20, 32, 56, 110)},
        **{f'wrn_{d}_{w}': ('WRN', dict(depth=d, width=w)) for d, w in ((16, 2), (40, 1), (40, 2))},
        'vgg8': ('VGGBN', dict(depth=8)), 'vgg13': ('VGGBN', dict(depth=13)), 'MobileNetV2': ('MobileNetV2', {}), 'ResNet50': ('ResNet', dict(depth=50)),
        'ShuffleV1': ('ShuffleNetV1', {}), 'ShuffleV2': ('ShuffleNetV2', {})}


def weights(layout, seed=7):
    "A state dict in float32 with these names and shapes, all numbers drawn"
    import torch
    rng, out = np.random.RandomState(seed), {}
    for name, shape in layout:
        x = rng.standard_normal(shape) if shape else 0
        if not shape: out[name] = torch.tensor(0)
        elif name.endswith('running_var'): out[name] = torch.from_numpy(np.abs(x) + .5).float()
        elif len(shape) == 1: out[name] = torch.from_numpy(.1*x + name.endswith('weight')).float()
        else: out[name] = torch.from_numpy(x*(2/np.prod(shape[1:]))**.5).float()
    return out


def logits(net):
    "The first logits of two images, in float64"
    import torch
    with torch.no_grad(): return net.double().eval()(*draw(8, [(2, 3, 32, 32)]))[:, :4].flatten().tolist()


def networks(words=()):
    "Name -> what differs from the reference, in words; empty if nothing does"
    import torch
    from vidgan_nb.foreign import load_weights
    from vidgan_nb.nets import make_net
    measured, out = json.loads(FILE.read_text(encoding='utf-8'))['networks'], {}
    for name in (k for k in NETS if not words or k in words):
        theirs, (kind, how) = measured[name], NETS[name]
        net = make_net(kind, classes=100, **how)
        count = sum(p.numel() for p in net.parameters())
        out[name] = '' if count == theirs['parameters'] else f'{count:,} parameters, {theirs["parameters"]:,} there'
        if 'layout' not in theirs or out[name]: continue
        with tempfile.TemporaryDirectory() as tmp:
            torch.save(dict(epoch=240, model=weights(theirs['layout'])), Path(tmp)/'ckpt_epoch_240.pth')
            load_weights(net, Path(tmp)/'ckpt_epoch_240.pth')
        a, b = np.array(logits(net)), np.array(theirs['logits'])
        worst = np.abs(a - b).max()/np.abs(b).max()
        if not worst <= MOST: out[name] = f'with its weights the logits differ by {worst:.1e}'
    return out


def problems():
    "What is wrong, a line each: the test `parity`"
    wrong = [f'{k}: {v}' for k, v in networks().items() if v]
    found = losses()
    return wrong + [f'{k}: differs from the reference by {v:.1e} of the value or of the norm of a gradient' for k, v in found.items() if not v <= MOST]


def main(words):
    found = losses(words)
    for k, v in found.items(): print(f'{k:28}{v:10.1e}')
    nets = networks(words)
    for k, v in nets.items(): print(f'{k:28}{v or "parameters, names and logits agree"}')
    wrong = [k for k, v in found.items() if not v <= MOST]
    print(f'{len(found)} cases, {len(wrong)} above {MOST:g}; {len(nets)} networks, {sum(map(bool, nets.values()))} that differ')
    return bool(wrong) or any(nets.values())


if __name__ == '__main__': sys.exit(main(sys.argv[1:]))
