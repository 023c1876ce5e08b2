"""The tensors of the drill: every public function that takes some is called with many shapes and types; derivatives are
compared with finite differences; and a long run may not grow.

The functions are found by their annotations, in `__all__` of every module. A call returns, or is refused with an error that
says what is wrong (`CLEAR`); numbers that are finite never become NaN. `GIVEN` has arguments that cannot be guessed.
"""
import ast, gc, importlib, inspect, math, os, random, warnings
from pathlib import Path

CLEAR = ValueError, TypeError, RuntimeError, IndexError, MemoryError                # BadInput is a ValueError, an error of shapes a RuntimeError
TRIALS = 32
APART = {'latent_film.tour': 'writes a film', 'films.animate': 'writes a film', 'films.player': 'makes films', 'loops.descend': 'needs an optimiser', 'stylegan_loop.lazy_descend': 'needs an optimiser', 'stylegan_loop.path_lengths': 'needs the graph from styles to images',
         'judges.features_of': 'needs a judge', 'probes.linear_readout': 'needs data', 'scores.compare_points': 'needs data', 'others.init_actnorm': 'needs a flow',
         'squeeze.uncut': 'needs views', 'dgflow.flow': 'the inner loop of refine, with functions of its own', 'zoo_export.largest_difference': 'needs two networks',
         'metrics.jackknife': 'needs a metric', 'blocks.features': 'needs names of layers', 'squeeze.style': 'needs a generator with a mapping',
         'films.filmstrip': 'makes films', 'dgflow.flow_step': 'the inner step of refine, with functions of its own', 'probes.umap_map': 'calls a package that may be missing', 'monitor.gather_batch': 'needs several processes'}
# not the derivative of what they return, for a reason
NO_DERIVATIVE = {'ssl.cosine_loss': 'stops the gradient of one side', 'bench_rows.direct_terms': 'one of two ways that are compared'}


ONCE = {'distill.rkd': 'the second derivative of a distance is NaN where it is 0, as on the diagonal; it is trained by the first'}
TEACHERS = 't', 'z_t'             # of losses of distillation: no gradient flows into what a teacher says


def functions():
    "Name -> function, of those that take tensors"
    package = Path(__file__).resolve().parent.parent/'vidgan_nb'
    for p in sorted(package.glob('*.py')):
        if p.stem[0] == '_': continue
        m = importlib.import_module(f'vidgan_nb.{p.stem}')
        for k in getattr(m, '__all__', []):
            f = getattr(m, k)
            if inspect.isfunction(f) and f.__module__ == m.__name__ and any('Tensor' in str(q.annotation) for q in inspect.signature(f).parameters.values()):
                yield f'{p.stem}.{k}', f


def shape_of(rng):
    "A shape: points, features, images, one number, nothing"
    n = rng.choice((0, 1, 2, 3, 5, 8, 8, 8, 40, 40))
    return rng.choice([(n, 4), (n, 4), (n, 4), (n, 4), (n, 2), (n, 3, 8, 8), (n, 3, 8, 8), (n, 1, 8, 8), (n, 3, 5, 7), (n,), (), (4, n), (n, 0), (2, 2, 2, 2, 2)])


def tensor(rng, shape, kind, gen):
    "Random numbers of a shape and a type, finite ones"
    import torch
    x = torch.rand(shape, generator=gen)*2 - 1
    if kind == 'labels': return torch.randint(0, 3, shape[:1] or (1,), generator=gen)
    if kind.is_floating_point: return (x*rng.choice((1., 1., 1., 0., 1e-6, 100.))).to(kind)
    return (x > 0) if kind == torch.bool else (x*100 + 100).to(kind)


class Net:
    "Makes a small network that fits what it is first given"
    def __new__(cls, name, shape, dtype):
        import torch
        from torch import nn
        d = math.prod(shape[1:]) if len(shape) > 1 else 1
        if name in ('D', 'score'): net = nn.Sequential(nn.Flatten(), nn.Linear(d, 1), nn.Flatten(0))
        elif name == 'features': net = nn.Sequential(nn.Flatten(), nn.Linear(d, 3))
        else: net = nn.Sequential(nn.Linear(shape[-1] if shape else 1, shape[-1] if shape else 1), nn.Tanh())
        return net.to(dtype if dtype in (torch.float32, torch.float64) else torch.float32)


LABELS = 'c', 'e'

def moments(q, rng, shape, dtype, gen):
    "A mean, or a covariance"
    import torch
    x = torch.rand((9, 3), generator=gen).double()
    return x.mean(0) if q.name in ('m1', 'm2') else x.T.cov()

# arguments that are not as their names say elsewhere: function -> (parameter, random numbers, shape, type, generator) -> value, or None
def many(q, rng, shape, dtype, gen):
    "More points than a neighbourhood needs, and numbers for them"
    import torch
    shape = rng.choice(((100, 4), (100, 3), shape))
    return tensor(rng, shape, torch.float32, gen) if 'Tensor' in str(q.annotation) else None

def plain(**made):
    "Functions of (n, generator) for some parameters, where n is one of 1 and 8"
    def f(q, rng, shape, dtype, gen): return made[q.name](8, gen) if q.name in made and rng.random() < .7 else None
    return f

def rand(*shape): return lambda n, gen: __import__('torch').rand(*(v or n for v in shape), generator=gen)*.9 + .05

def orders(n, gen): return __import__('torch').rand(n, 4, generator=gen).argsort(1)

PROBABILITIES = plain(probs=lambda n, gen: rand(0, 3)(n, gen).softmax(1))
GIVEN = {'probes.r2_probe': plain(f=rand(0, 3), y=rand(0), g=rand(0, 3), v=rand(0)), 'probes.tsne_probabilities': many, 'probes.embed': many, 'samplers.mh_gan': many, 'metrics.inception_score': PROBABILITIES,
         'metrics.neighbour_scores': many, 'metrics.frechet_infinity': many, 'probes.tsne_gradient': plain(p=rand(0, 0), y=rand(0, 2)),
         'stylegan_d.half': plain(x=rand(0, 2, 6, 6), h=rand(4, 4)),
         'stylegan.double': plain(x=rand(0, 2, 6, 6), h=rand(4, 4)), 'stylegan.modulated': plain(x=rand(0, 2, 6, 6), weight=rand(3, 2, 3, 3), s=rand(0, 2)),
         'playground.spherical': plain(a=rand(5), b=rand(5), t=lambda n, gen: .3), 'views.shift_hue': plain(x=rand(0, 3, 6, 6), by=rand(0)),
         'views.resize_matrix': plain(n=lambda n, gen: 8, size=lambda n, gen: 4, start=lambda n, gen: rand(3)(n, gen).double()*19 - 9, length=lambda n, gen: rand(3)(n, gen).double()*9),
         'views.jitter': plain(x=rand(0, 3, 6, 6), factors=rand(0, 4), order=orders), 'views.blur': plain(x=rand(0, 3, 16, 16), sigma=rand(0)), 'views.reflect': plain(x=rand(0, 3, 8, 8)),
         'others.gaussian_nll': plain(log_var=lambda n, gen: rand(1)(n, gen)[0].double()), 'samplers.acceptance': plain(most=lambda n, gen: 200.),
         'metrics.frechet_from_moments': moments,
         'mmd.witness': lambda q, rng, shape, dtype, gen: tensor(rng, shape, dtype, gen) if q.name == 'c' else None,
         'mmd.feature_penalty': lambda q, rng, shape, dtype, gen: Net('features', shape, dtype) if q.name == 'D' else None}

def guess(q, rng, shape, dtype, gen, given=None):
    "An argument for a parameter; `inspect.Parameter.empty` if it cannot be guessed"
    import torch
    v, kind = given(q, rng, shape, dtype, gen) if given else None, str(q.annotation)
    if v is not None: return v
    if q.name in ('variance', 'sigma', 'std', 'length') and 'Tensor' in kind and dtype != torch.bool: return tensor(rng, shape, dtype, gen).abs() + 1
    if q.name == 'eps' and 'Tensor' in kind: return torch.rand(shape[:1] + (1,)*(len(shape) - 1), generator=gen).to(dtype)
    if q.name in LABELS and 'Tensor' in kind: return tensor(rng, shape, 'labels', gen)
    if 'Tensor' in kind: return tensor(rng, shape, dtype, gen)
    if 'Module' in kind or q.name in ('D', 'G', 'net', 'f') and (kind.endswith("_empty'>") or 'Callable' in kind): return Net(q.name, shape, dtype)
    if 'Generator' in kind: return torch.Generator().manual_seed(rng.randrange(99))
    if q.name == 'k' and 'Callable' in kind: return importlib.import_module('vidgan_nb.mmd').rational_quadratic
    if q.name == 'noise': return lambda z=None: torch.zeros(shape)
    if q.name in ('h', 'w', 'size', 'length'): return rng.choice((4, 8))
    given = dict(text='color', scale=(.2, 1.), ratio=(.75, 1.33), shape=tuple(shape[1:]), nets=Net('D', shape, dtype))
    if q.name in given: return given[q.name]
    if q.annotation is int: return rng.choice((1, 2, 4))
    if q.annotation is float: return rng.choice((.1, 1., 2.))
    if q.annotation is bool: return rng.random() < .5
    return q.empty


def arguments(f, rng, easy=False):
    "Random arguments of a function, or None: those without a default, tensors, and now and then another"
    import torch
    gen = torch.Generator().manual_seed(rng.randrange(2**31))
    types = [torch.float64] if easy else [torch.float32]*6 + [torch.float64]*2 + [torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool, torch.complex64]
    shape, dtype, args = shape_of(rng), rng.choice(types), {}
    for q in inspect.signature(f).parameters.values():
        if q.kind == q.VAR_KEYWORD: continue
        if rng.random() < .12 and not easy: shape = shape_of(rng)
        if rng.random() < .06 and not easy: dtype = rng.choice(types)
        if q.default is not q.empty and (rng.random() < .8 or 'Tensor' not in str(q.annotation)): continue
        args[q.name] = guess(q, rng, shape, dtype, gen, GIVEN.get(f'{f.__module__[10:]}.{f.__name__}'))          # in order: those without a default come first
        if args[q.name] is q.empty: return None
    return args


def called(f, args):
    "What a function returns; arguments without a default by position, as `f(x, y)`"
    needed = [k for k, q in inspect.signature(f).parameters.items() if q.default is q.empty and q.kind != q.VAR_KEYWORD]
    return f(*(args[k] for k in needed), **{k: v for k, v in args.items() if k not in needed})


def leaves(v):
    "The numbers and tensors in what a function returned"
    import torch
    if isinstance(v, (torch.Tensor, float)): yield v
    elif isinstance(v, dict): yield from (x for u in v.values() for x in leaves(u))
    elif isinstance(v, (tuple, list)): yield from (x for u in v for x in leaves(u))


def is_nan(v):
    import torch
    return any(torch.isnan(x).any().item() if isinstance(x, torch.Tensor) and (x.is_floating_point() or x.is_complex()) else x != x if isinstance(x, float) else False for x in leaves(v))


def said(args):
    "Arguments in short"
    import torch
    return ', '.join(f'{k}={str(v.dtype)[6:]}{tuple(v.shape)}' if isinstance(v, torch.Tensor) else f'{k}={v!r:.30}' for k, v in args.items())


def ordinary(args):
    "Are these numbers of which every mean and every variance can be had: two rows or more, in a type of 32 bits or more?"
    import torch
    ts = [v for v in args.values() if isinstance(v, torch.Tensor)]
    return all(t.numel() and t.dim() and t.shape[0] > 2 and t.dtype in (torch.float32, torch.float64, torch.int64) and (t.is_floating_point() is False or t.abs().max() > 1e-3) for t in ts)


def fuzz(name, seed, log):
    "Call one function with many arguments: (calls, results, faults)"
    import torch
    warnings.simplefilter('ignore')
    torch.manual_seed(0)
    f, rng, bad, tried, good = dict(functions())[name], random.Random(f'{name} {seed}'), [], 0, 0
    for _ in range(TRIALS):
        args = arguments(f, rng)
        if args is None: return dict(tried=0, good=0, bad=[f'{name}: an argument cannot be guessed: say how in tools/drill_tensors.py'])
        Path(log).write_text(f'{name}({said(args)})', encoding='utf-8')
        tried += 1
        try: v = called(f, args)
        except CLEAR as e:
            if not str(e).strip(): bad.append(f'{name}({said(args)}): {type(e).__name__} that says nothing')
            continue
        except Exception as e:
            bad.append(f'{name}({said(args)}): {type(e).__name__}: {e!s:.200}')
            continue
        good += 1
        if ordinary(args) and is_nan(v): bad.append(f'{name}({said(args)}): NaN')
    if not good: bad.append(f'{name}: no call of {tried} returned')
    return dict(tried=tried, good=good, bad=bad)


def derivatives(name, seed, log, wanted=3):
    "Compare first and second derivatives of one function with finite differences, in float64; how many calls had any, and faults"
    import torch
    warnings.simplefilter('ignore')
    f, rng, bad, done, tried = dict(functions())[name], random.Random(f'{name} {seed}'), [], 0, 0
    while done < wanted and tried < 12*wanted:
        args, tried = arguments(f, rng, True), tried + 1
        if args is None: break
        floats = {k: v.requires_grad_() for k, v in args.items() if k not in TEACHERS and isinstance(v, torch.Tensor) and v.is_floating_point() and 0 < v.numel() < 60 and v.abs().max() == v.abs().max().clamp(1e-3, 10)}
        Path(log).write_text(f'{name}({said(args)})', encoding='utf-8')
        def g(*xs, args=args, floats=floats):
            torch.manual_seed(0)
            again = {k: torch.Generator().manual_seed(1) for k, v in args.items() if isinstance(v, torch.Generator)}
            return called(f, args | again | dict(zip(floats, xs)))
        try: out = g(*floats.values())
        except Exception: continue
        if not floats or not isinstance(out, torch.Tensor) or not out.requires_grad or out.dtype != torch.float64 or is_nan(out) or out.numel() > 100: continue
        xs = tuple(floats.values())
        try: ok = torch.autograd.gradcheck(g, xs, raise_exception=False) and (name in ONCE or torch.autograd.gradgradcheck(g, xs, raise_exception=False))
        except Exception as e: ok, out = False, f'{type(e).__name__}: {e!s:.200}'
        done += 1
        if not ok: bad.append(f'{name}({said(args)}): derivatives other than finite differences say')
    return dict(done=done, bad=bad)


def grown(steps, out):
    "Train for so many steps, with checkpoints: how many kilobytes, files and objects more there were at the end than after a fifth of them"
    import drill
    from unittest import mock
    from vidgan_nb import recipes
    seen = []
    def look():
        gc.collect()
        rss = int(Path('/proc/self/statm').read_text(encoding='utf-8').split()[1])*os.sysconf('SC_PAGE_SIZE')//1024
        seen.append((rss, len(os.listdir('/proc/self/fd')), len(os.listdir('/proc/self/task')), len(gc.get_objects())))
    def before(cls, _):
        step, done = cls.step, [0]
        def counted(loop):
            done[0] += 1
            if done[0] in (steps//5, steps): look()
            return step(loop)
        cls.step = counted
    r = drill.recipe_of('vgan', steps) | dict(checkpoint_every=steps//10, look_every=steps//20)
    drill.train(r, out, before=before)
    (a, b) = seen
    return dict(zip(('kilobytes', 'handles', 'threads', 'objects'), (y - x for x, y in zip(a, b))))
