"""The files of the drill: kinds of file that the package reads, how they are damaged, and what a hostile one may hold.

A kind has a function that makes good files, and one that reads them as the package does and returns what came of it.
`uncovered` finds the functions of the package that read files; each stands in `COVERED` beside the kind that reaches it.
"""
import ast, gzip, hashlib, io, json, os, pickle, struct, sys, tarfile, types, zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Callable, NamedTuple
from unittest import mock


def hash_of(*what):
    "A hash of arrays, tensors, paths and texts"
    import numpy as np, torch
    h = hashlib.sha256()
    for v in what:
        if isinstance(v, dict): v = hash_of(*[u for k in sorted(v) for u in (k, v[k])])
        if isinstance(v, torch.Tensor): v = np.ascontiguousarray(v.detach().numpy())
        h.update(str((v.shape, v.dtype)).encode() + v.tobytes() if isinstance(v, np.ndarray) else repr(v).encode())
    return h.hexdigest()


# ---------------------------------------------------------------------------------------- kinds of file

def _loop(folder, steps=4, **more):
    "A small GAN of points, trained for a few steps in folder/run"
    import drill
    from vidgan_nb import recipes
    r = drill.recipe_of('vgan') | dict(steps=steps, seed=0) | more
    with mock.patch.object(recipes, '_pictures', lambda *_: None): return recipes.train(r, folder/'run', bar=False)

def make_run(folder): _loop(folder)

def read_run(folder):
    "Go on with it by two steps, as `vidgan train RUN --resume` does"
    import drill
    from vidgan_nb.recipes import load_recipe
    r = load_recipe(str(folder/'run'/'recipe.yaml'))
    if r['steps'] > 100: return f'a recipe of {r["steps"]} steps'
    return drill.train(r, folder/'run', True, real=True)['digest']

def make_record(folder):
    from vidgan_nb import records
    with mock.patch.object(records, '_made_of', lambda loop: dict(data=dict(name='two_moons', items=1, fingerprint='', licence=''), networks={})):
        records.write_record(_loop(folder/'.made', keep=['G'], seed=1), 'vgan-moons' if 'vgan-moons' in records.recipe_names() else _points_recipe(), folder, witness=False)

def _points_recipe():
    import drill
    return next(n for n, m, d in drill._recipes() if m == 'vgan' and d == 'two_moons')

def _what(run):
    "What a record says"
    run.verify()
    return hash_of(run.recipe, run.steps, run.scores, {k: run.history[k] for k in run.history.names}, run.net('G').state_dict(),
                   *[f for pair in run.frames for f in pair])

def read_record(folder):
    from vidgan_nb.records import Run
    return _what(Run(folder/_points_recipe()))

def make_pack(folder):
    from vidgan_nb.archives import pack
    from vidgan_nb.loops import checkpoints
    make_record(folder/'.here')
    pack([folder/'.here'/_points_recipe()], folder, ('some-run', checkpoints(folder/'.here'/'.made'/'run'/'checkpoints')[-1]))

def read_pack(folder):
    from unittest.mock import patch
    from vidgan_nb import archives
    from vidgan_nb.loops import checkpoints, read_checkpoint
    from vidgan_nb.records import Run
    runs, work = folder/'.taken', folder/'.work'
    with patch.object(archives, '_complete', lambda run: None): archives.collect(folder, runs, work, say=lambda *_: None)
    found = [read_checkpoint(c)['step'] for c in checkpoints(work/'some-run'/'checkpoints')]
    return hash_of(_what(Run(runs/_points_recipe())), found)

def make_verified(folder):
    from vidgan_nb.records import _note_verified
    make_record(folder)
    _note_verified({_points_recipe(): ([], dict(sources='0123456789abcdef', readers='fedcba9876543210'))}, folder)
    import shutil
    shutil.move(folder/_points_recipe(), folder/'.record')

def read_verified(folder):
    import shutil
    from vidgan_nb.records import Run
    shutil.move(folder/'.record', folder/_points_recipe())
    run = Run(folder/_points_recipe())
    return hash_of(run.state, run.verified, run.stale)

RECIPE = '''about: Points
method: wgan
data: {name: ring, n: 500}
nets: {G: {net: MLP, sizes: [2, 16, 2]}, D: {net: MLP, sizes: [2, 16, 1]}}
loop: {nz: 2, bs: 8, lr: 0.001}
steps: 10
variants: {fast: [lr=0.01]}
'''
def make_recipe(folder): (folder/'mine.yaml').write_text(RECIPE, encoding='utf-8')
def read_recipe(folder):
    from vidgan_nb.recipes import load_recipe
    return json.dumps(load_recipe(str(folder/'mine.yaml')), sort_keys=True)

def make_texts(folder):
    (folder/'index.json').write_text(json.dumps(dict(records=dict(a=dict(w=['0'*64, 10])))), encoding='utf-8')
    (folder/'config.yaml').write_text('dataset: two_moons\ngen_type: record\ngen_path: x\nsteps: 5\neta: 0.1\n', encoding='utf-8')
    (folder/'floors.yaml').write_text('wgan-glyphs:\n  FID: <= 30\n  seeds: 3\n', encoding='utf-8')
    (folder/'tries.txt').write_text('[wgan-glyphs]\nlr=0.001\nlr=0.002\n[vgan-glyphs]\nlr=0.001\nlr=0.002\n', encoding='utf-8')
    (folder/'list.txt').write_text('wgan-glyphs  # a comment\nvgan-glyphs\n', encoding='utf-8')

def read_texts(folder):
    from vidgan_nb.cli_train import _read_config
    from vidgan_nb.queue import read_list
    from vidgan_nb.thresholds import read_floors
    from vidgan_nb.tuning import read_tries
    from vidgan_nb.zoo import _index
    return repr([_index(folder), _read_config(folder/'config.yaml'), read_floors(folder/'floors.yaml'), read_tries(folder/'tries.txt'), read_list([folder/'list.txt'])])

def _pictures(n=4, side=8):
    import numpy as np
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 3), dtype=np.uint8)

def make_arrays(folder):
    import numpy as np
    np.savez_compressed(folder/'a.npz', x=_pictures(), y=np.arange(4) % 2)
    np.save(folder/'b.npy', _pictures())
    np.savez(folder/'m.npz', mu=np.zeros(3), sigma=np.eye(3))
    np.savez(folder/'chainer.npz', **{'l0/W': np.ones((4, 2), 'f4'), 'l0/b': np.ones(4, 'f4'), 'l1/W': np.ones((1, 4), 'f4'), 'l1/b': np.ones(1, 'f4')})

def read_arrays(folder):
    import numpy as np
    from vidgan_nb.array_files import Array
    from vidgan_nb.dgflow_chainer import load_chainer
    from vidgan_nb.nets import make_net
    from vidgan_nb.recipes import _load
    from vidgan_nb.scores import load_moments
    a, m = Array(folder/'a.npz'), load_moments(folder/'m.npz')
    found = [_load(dict(data=dict(name=f'folder:{folder/f}')), None).fingerprint for f in ('a.npz', 'b.npy')]
    return hash_of(*found, *a.rows(range(len(a))),
                   m.mean, m.cov, load_chainer(make_net('MLP', sizes=[2, 4, 1]), folder/'chainer.npz').state_dict())

def image_endings():
    "The endings of images that the package reads and Pillow writes"
    from PIL import Image
    from vidgan_nb.listing import _IMAGES
    Image.init()
    return sorted(e for e in _IMAGES if Image.EXTENSION.get(e) in Image.SAVE)

def make_images(folder):
    from PIL import Image
    for i, end in enumerate(image_endings()): Image.fromarray(_pictures()[i % 4]).convert('RGB' if end not in ('.pbm', '.pgm') else 'L').save(folder/f'{i:02d}{end}')

def read_images(folder):
    from vidgan_nb.datasets import load
    return load(f'folder:{folder}', size=8).fingerprint

def make_published(folder):
    "Files in the formats of published data sets, few images each"
    import numpy as np
    from PIL import Image
    x = _pictures()
    (folder/'batch').write_bytes(pickle.dumps({'data': x.reshape(4, -1), 'labels': [0, 1, 2, 3]}, protocol=2))
    raw = struct.pack('>4I', 0x803, 4, 8, 8) + x[..., 0].tobytes()
    (folder/'images.gz').write_bytes(gzip.compress(raw, mtime=0))
    (folder/'images.idx').write_bytes(raw)
    (folder/'raw.bin').write_bytes(x.tobytes())
    np.savez(folder/'labels.npz', train=np.arange(4))
    with zipfile.ZipFile(folder/'train-0.zip', 'w') as z:
        b = io.BytesIO()
        Image.fromarray(np.tile(x[0], (10, 10, 1))).save(b, 'webp', lossless=True)
        z.writestr('0000.webp', b.getvalue())
    (folder/'MANIFEST.sha256').write_text(''.join(f'{hashlib.sha256((folder/f).read_bytes()).hexdigest()}  {f}\n' for f in ('labels.npz', 'train-0.zip')), encoding='utf-8')
    (folder/'list_attr.txt').write_text('2\nA B\n000001.jpg 1 -1\n000002.jpg -1 1\n', encoding='utf-8')

def read_published(folder):
    from vidgan_nb import datasets as d
    from vidgan_nb.recipes import _making
    for p in folder.iterdir():                            # as `datasets.load` does before it reads
        if p.is_fifo(): raise d._broken(p, 'a file', 'a pipe')
    with _making('the data'): return _published(folder, d)

def _published(folder, d):
    manifest = d._manifest(folder)
    return hash_of(*d._unpickle(folder/'batch', 'data', 'labels'), d._idx(folder/'images.gz', 4, 8, 8), d._idx(folder/'images.idx', 4, 8, 8),
                   d._map_bytes(folder/'raw.bin', 4, 8, 8, 3)[:], d._labels(folder), d._part(folder/'train-0.zip', 0, 1)[0][1],
                   {k.name: v for k, v in manifest.items()})

def make_weights(folder):
    import torch
    from safetensors.torch import save_file
    torch.manual_seed(0)
    state = {'a.weight': torch.randn(40, 20), 'a.bias': torch.randn(40)}
    torch.save(dict(state_dict=state, epoch=3, args=dict(lr=.1)), folder/'w.pth')
    torch.save(state, folder/'old.pt', _use_new_zipfile_serialization=False)
    save_file(state, folder/'w.safetensors')

def read_weights(folder):
    from vidgan_nb.foreign import read_weights
    names = 'w.pth', 'old.pt', 'w.safetensors'
    return hash_of(*[read_weights(folder/f) for f in names])

class Asks:
    "Pickled, it calls a function"
    def __init__(self, call, *args): self.call, self.args = call, args
    def __reduce__(self): return self.call, self.args

def stylegan(kind='Generator', weight=None):
    "The bytes of a pickle like those of StyleGAN2-ADA, with one layer"
    import numpy as np, torch
    from torch import nn
    p, util = types.ModuleType('torch_utils.persistence'), types.ModuleType('dnnlib.util')
    def _reconstruct_persistent_obj(meta): raise RuntimeError('this would run code')
    _reconstruct_persistent_obj.__module__, _reconstruct_persistent_obj.__qualname__ = p.__name__, '_reconstruct_persistent_obj'
    p._reconstruct_persistent_obj = _reconstruct_persistent_obj
    util.EasyDict = type('EasyDict', (dict,), dict(__module__=util.__name__))
    def wrap(name, weights, inner):
        state = dict(_parameters=OrderedDict(weights), _buffers=OrderedDict(), _modules=OrderedDict(inner), gain=np.float64(.5), _init_kwargs=util.EasyDict(a=1))
        return Asks(_reconstruct_persistent_obj, dict(type='class', version=6, module_src='', class_name=name, state=state))
    names = {'torch_utils': types.ModuleType('torch_utils'), p.__name__: p, 'dnnlib': types.ModuleType('dnnlib'), util.__name__: util}
    with mock.patch.dict(sys.modules, names):
        w = nn.Parameter(torch.randn(64, 64, generator=torch.Generator().manual_seed(0)) if weight is None else weight)
        return pickle.dumps(dict(G_ema=wrap(kind, {}, {'fc': wrap('FullyConnectedLayer', {'weight': w}, {})}), D=None), protocol=3)

def make_pickle(folder): (folder/'network.pkl').write_bytes(stylegan())

def read_pickle(folder):
    from vidgan_nb.pickles import read_stylegan
    p = read_stylegan(folder/'network.pkl')
    return hash_of(p.kind, p.weights, p.init, p.facts)

def _statistics(folder):
    import torch
    from vidgan_nb.data import Data
    from vidgan_nb.judges import find_judge
    from vidgan_nb.scores import _from_cache
    x = torch.from_numpy(_pictures(20)).permute(0, 3, 1, 2).contiguous()
    data = Data(x, None, 'mine', 'train', [])
    s = _from_cache(find_judge('pixels', data=data), data, folder, 10, 4, 1, False)
    return hash_of(*s.moments())

def make_caches(folder):
    from vidgan_nb import records
    os.environ['VIDGAN_CACHE'] = str(folder)
    _statistics(folder)
    records._remembered('losses', dict(a=1), lambda: dict(loss=[1.5, 2.5]))

def read_caches(folder):
    from vidgan_nb import records
    os.environ['VIDGAN_CACHE'] = str(folder)
    return hash_of(_statistics(folder), records._remembered('losses', dict(a=1), lambda: dict(loss=[1.5, 2.5])))

def _refined(folder, n):
    import torch
    from vidgan_nb import dgflow_compat
    from vidgan_nb.nets import make_net
    torch.manual_seed(0)
    G, D = make_net('MLP', sizes=[2, 8, 2]).eval(), make_net('MLP', sizes=[2, 8, 1]).eval()
    done, made = [0], dgflow_compat._refined_batch
    def batch(*args):
        if done[0] == n: raise KeyboardInterrupt
        done[0] += 1
        return made(*args)
    with mock.patch.object(dgflow_compat, '_refined_batch', batch):
        try: return dgflow_compat.refine_many(folder/'refined', G, D, n=12, bs=4, steps=2, save_every=2, eta=.1)
        except KeyboardInterrupt: return None

def make_refined(folder): _refined(folder, 2)

def read_refined(folder): return hash_of({k: Path(f).read_bytes() for k, f in _refined(folder, 9).items()})

def make_queue(folder):
    (folder/'.locks'/'wgan-glyphs').mkdir(parents=True)
    (folder/'.locks'/'wgan-glyphs'/'seconds').write_text('12.5', encoding='utf-8')
    (folder/'wgan-glyphs'/'checkpoints'/'step-00000010').mkdir(parents=True)
    (folder/'made.txt').write_text('wgan-glyphs\n', encoding='utf-8')
    (folder/'wgan-glyphs'/'recipe.yaml').write_text('method: wgan\nprecision: bf16\n', encoding='utf-8')

def read_queue(folder):
    from vidgan_nb import queue
    item = queue.look_up('wgan-glyphs', folder, folder/'.none')
    place = types.SimpleNamespace(work=folder, runs=folder/'.none', to=None)
    return repr((item, queue._precision_so_far(folder/'wgan-glyphs'), queue._made_here(place) if hasattr(queue, '_made_here') else ''))


class Kind(NamedTuple):
    "A kind of file"
    make: Callable                # writes good files into a folder; hidden ones are never damaged
    read: Callable                # what the package makes of them, as text
    exact: bool                   # does it hold a checksum, so that no change of its meaning may pass?
    covers: str                   # the functions that read it

KINDS = {
    'run': Kind(make_run, read_run, True, 'loops._read_body loops._read_tensors loops._write_files loops._same_checkpoint monitor._append_csv monitor._run_of monitor.FolderLock loops._sync recipes._read_yaml recipes._run recipes._note_changes'),
    'record': Kind(make_record, read_record, True, 'records._sha records._read_record records._unpack_frames records.net records.add_witness'),
    'pack': Kind(make_pack, read_pack, True, 'archives._archive archives._unpack archives._is_as_good archives._complete'),
    'verified': Kind(make_verified, read_verified, False, 'records._read_verified'),
    'recipe': Kind(make_recipe, read_recipe, False, 'recipes._literal cli._said_in'),
    'texts': Kind(make_texts, read_texts, False, 'cli_train._read_config thresholds.read_floors tuning.read_tries tuning.read_table queue._names_in basics.small_text zoo._index'),
    'arrays': Kind(make_arrays, read_arrays, False, 'array_files.array_names array_files.read_array array_files.opened arrays.array_data cli_score._in_file scores.load_moments scores._pair arrays._stream arrays.headers arrays.read_rows dgflow_chainer.load_chainer'),
    'images': Kind(make_images, read_images, False, 'images._array images._open'),
    'published': Kind(make_published, read_published, False, 'datasets._unpickle datasets._idx datasets._manifest datasets._labels datasets._part datasets._map_bytes datasets._rows datasets._hash_problems'),
    'weights': Kind(make_weights, read_weights, False, 'foreign._load foreign.read_plain foreign._beginning'),
    'pickle': Kind(make_pickle, read_pickle, False, 'pickles.read_stylegan pickles._read pickles._storage'),
    'caches': Kind(make_caches, read_caches, True, 'records._remembered scores._read_statistics'),
    'refined': Kind(make_refined, read_refined, False, 'dgflow_compat._check_resume dgflow_compat._opened dgflow_compat._write dgflow_compat.run_config'),
    'queue': Kind(make_queue, read_queue, False, 'queue.look_up queue._stopwatch queue._recorded queue._send queue._note'),
}
# functions that open what is no file of the user's: the package's own, the system's, what they wrote a moment ago, or a file that is compared with a known checksum first
OWN = '''basics.write_file basics.machine_memory basics.document basics._moved cli._exit_code cli_base.knobs cli_base.read_methods judges._sha256 image_backbones.file_hash zoo._damaged zoo_export.export
judges._load_weights monitor.peak_memory_mb own.own_files papers.papers perceptual._read queue.give_way recompute._foreign recompute.sources
records.machine records._write show._few_colours tuning._write_table'''

_OPENS = {'small_text', 'read_array', 'array_names', 'read_rows', 'headers', 'open', 'read_text', 'read_bytes', 'load_file', 'safe_open', 'safe_load', 'ZipFile', 'memmap'}
_LOADS = {'np.load', 'torch.load', 'json.loads', 'yaml.load', 'pickle.load', 'pickle.loads'}

def readers(package):
    "The functions of the package that open files, as module.function"
    out = set()
    for p in sorted(Path(package).glob('*.py')):
        if p.stem == '_modidx': continue
        for f in ast.parse(p.read_text(encoding='utf-8')).body:
            for n in ast.walk(f):
                called = ast.unparse(n.func) if isinstance(n, ast.Call) else ''
                if called.rpartition('.')[2] in _OPENS or called in _LOADS or called.endswith(' else open'): out.add(f'{p.stem}.{getattr(f, "name", "?")}')
    return out

def uncovered(package):
    "A line for each function that reads files and that no kind covers, and for each that is named and is none"
    named = {n for k in KINDS.values() for n in k.covers.split()} | {*OWN.split()}
    found = readers(package)
    return [f'{n} opens a file, and no kind in tools/drill_files.py covers it' for n in sorted(found - named)] + \
           [f'tools/drill_files.py names {n}, which opens no file' for n in sorted(named - found)]


# ---------------------------------------------------------------------------------------- damage

def _edit(v, rng, value):
    "Put `value` in the place of one leaf of a nest of JSON"
    while True:
        keys = list(v) if isinstance(v, dict) else list(range(len(v)))
        if not keys: return
        k = rng.choice(keys)
        if isinstance(v[k], (dict, list)) and v[k] and rng.random() < .85: v = v[k]
        else:
            v[k] = value
            return

WRONG = [None, 'text', [], {}, -1, 10**30, 1.5, True, [[[]]], {'$tensor': 't0'}, {'$float': 'x'}, {'a': 1, 'b': 2}, float('nan'), float('inf'), '../../x', 'x'*5000]

def _json(path, rng, value, rehash):
    "Exchange a leaf of a JSON file; `rehash`: and make its checksums agree again"
    try: d = json.loads(path.read_text(encoding='utf-8'))
    except ValueError: return
    if not isinstance(d, (dict, list)): d = [d]
    if rehash and 'body' in d:
        _edit(d['body'], rng, value)
        d['sha256'] = hashlib.sha256(json.dumps(d['body'], sort_keys=True).encode()).hexdigest()
    elif rehash and 'sha256' in d:
        del d['sha256']
        _edit(d, rng, value)
        d = dict(sha256=hashlib.sha256(json.dumps(d, sort_keys=True).encode()).hexdigest(), **d)
    else: _edit(d, rng, value)
    path.write_text(json.dumps(d, sort_keys='body' in d), encoding='utf-8')

WAYS = ('truncate', 'flip', 'zero', 'append', 'empty', 'swap', 'missing', 'double', 'type', 'huge', 'rehash', 'folder', 'pipe', 'circle', 'ring')

def damage(folder, rng, how):
    "Damage one file below `folder`, in one of the `WAYS`; which one, or None if there is none for that"
    files = sorted(p for p in folder.rglob('*') if p.is_file() and not any(part[0] == '.' for part in p.relative_to(folder).parts))
    if how in ('type', 'rehash'): files = [p for p in files if p.suffix == '.json'] or (files if how == 'type' else [])
    if not files: return None
    path = rng.choice(files)
    raw = path.read_bytes()
    at, n = rng.randrange(len(raw) + 1), len(raw)
    if how == 'truncate': raw = raw[:rng.randrange(max(1, n))]
    elif how == 'flip':
        raw = bytearray(raw)
        for _ in range(rng.choice((1, 1, 8))): raw[rng.randrange(n)] ^= rng.randrange(1, 256)
    elif how == 'zero': raw = raw[:at] + bytes(min(512, n - at)) + raw[at + 512:]
    elif how == 'append': raw += rng.choice((b'\0'*100, b'x', raw[:50], raw))
    elif how == 'empty': raw = b''
    elif how == 'double': raw = raw[:at] + raw[max(0, at - 200):at] + raw[at:]
    elif how == 'huge' and path.suffix not in ('.json', '.yaml', '.txt', '.csv'): raw = raw[:at] + b'\xff'*8 + raw[at + 8:]
    elif how == 'swap':
        other = rng.choice(files)
        path.write_bytes(other.read_bytes())
        other.write_bytes(raw)
        return f'{path.name} and {other.name}'
    elif how == 'ring':                                   # a folder in itself, beside the file
        (path.parent/'again').symlink_to('.')
        return f'again, beside {path.name}'
    elif how in ('missing', 'folder', 'pipe', 'circle'):
        path.unlink()
        if how == 'circle': path.symlink_to(path.name)    # a link to itself
        if how == 'folder': path.mkdir()
        if how == 'pipe': os.mkfifo(path)
        return path.name
    elif path.suffix == '.json': _json(path, rng, 10**30 if how == 'huge' else rng.choice(WRONG), how == 'rehash'); return path.name
    else:
        words = raw.split()
        if words: raw = raw.replace(rng.choice(words), rng.choice((b'9'*40, b'1e999', b'[[]]', b'{}', b'null', b'-1', b'!!x', b'\xff')), 1)
    path.write_bytes(raw)
    return path.name


# ---------------------------------------------------------------------------------------- hostile files

def payloads(canary):
    "Name -> bytes that, where anything in them is run, make the folder `canary`"
    import numpy as np, torch
    asks = {'mkdir': Asks(os.mkdir, canary), 'system': Asks(os.system, f'mkdir {canary}'), 'eval': Asks(eval, f'__import__("os").mkdir({canary!r})'),
            'exec': Asks(exec, f'import os; os.mkdir({canary!r})')}
    out = {f'pickle {k} {p}': pickle.dumps(v, protocol=p) for k, v in asks.items() for p in (0, 2, 5)}
    out['pickle in a dict'] = pickle.dumps({'G_ema': asks['mkdir'], 'data': asks['system'], 'state_dict': asks['eval']}, protocol=2)
    for zipped in (True, False):
        for name, what in (('alone', asks['mkdir']), ('beside weights', dict(state_dict={'w': torch.ones(2)}, args=asks['system'])), ('as a weight', {'w': asks['eval']})):
            b = io.BytesIO()
            torch.save(what, b, _use_new_zipfile_serialization=zipped)
            out[f'torch.save {name} {"zip" if zipped else "old"}'] = b.getvalue()
    out['numbers of a tensor'] = pickle.dumps(dict(G_ema=Asks(torch.storage._load_from_bytes, out['torch.save alone old'])), protocol=3)
    objects = np.array([asks['mkdir'], asks['system']], dtype=object)
    b, z = io.BytesIO(), io.BytesIO()
    np.save(b, objects, allow_pickle=True)
    np.savez(z, x=objects, mu=objects, sigma=objects, labels=objects, steps=objects, frames=objects)
    out |= {'npy of objects': b.getvalue(), 'npz of objects': z.getvalue()}
    for tag in (f'!!python/object/apply:os.mkdir [{canary}]', f'!!python/object/apply:os.system ["mkdir {canary}"]', f'!!python/object/new:os.mkdir [{canary}]',
                f'!!python/object/apply:builtins.exec ["import os; os.mkdir({canary!r})"]', '!!python/module:antigravity', '!!python/name:os.system'):
        out[f'yaml {tag[:32]}'] = f'method: wgan\nloop: {{lr: {tag}}}\ndata: {{name: {tag}}}\nwgan-glyphs: {tag}\n'.encode()
    out['yaml of a class'] = f'method: subprocess:Popen\nnets: {{G: {{net: "os:mkdir", path: {canary}}}, D: {{net: "os:system", command: "mkdir {canary}"}}}}\n'.encode()
    out['postscript'] = b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 32 32\n%%EndComments\n(x) run\nshowpage\n%%EOF\n'
    out['names that lead out'] = _zip({f'../../../../../../../../{canary}/0000.webp': b'x', f'{canary}/x.npy': b'x'})
    for name, make in (('link', _links), ('device', _devices)): out[f'tar with a {name}'] = make(canary)
    return out

def _zip(members):
    b = io.BytesIO()
    with zipfile.ZipFile(b, 'w') as z:
        for k, v in members.items(): z.writestr(k, v)
    return b.getvalue()

def _member(t, name, kind=tarfile.REGTYPE, link='', data=b''):
    m = tarfile.TarInfo(name)
    m.type, m.linkname, m.size = kind, link, len(data)
    t.addfile(m, io.BytesIO(data))

def _links(canary):
    "A tar whose links would lead a file out of it"
    b, top = io.BytesIO(), str(Path(canary).parent)
    with tarfile.open(fileobj=b, mode='w') as t:
        _member(t, 'a/record.json', tarfile.SYMTYPE, f'{canary}')
        _member(t, 'a/frames.npz', tarfile.LNKTYPE, '/etc/passwd')
        _member(t, 'out', tarfile.SYMTYPE, top)
        for name in (f'out/{Path(canary).name}/record.json', f'../../../../../../..{canary}/record.json', f'{canary}/record.json', 'a/record.json'): _member(t, name, data=b'{}')
    return b.getvalue()

def _devices(canary):
    b = io.BytesIO()
    with tarfile.open(fileobj=b, mode='w') as t:
        _member(t, 'a/record.json', tarfile.FIFOTYPE)
        _member(t, 'a/state.json', tarfile.CHRTYPE)
    return b.getvalue()


def _bombs(top):
    "Name -> a file that asks for more memory or time than there is; they are small themselves"
    def npy(shape, dtype='|u1', order='False'):
        head = f"{{'descr': '{dtype}', 'fortran_order': {order}, 'shape': {shape}, }}".ljust(117) + '\n'
        return b'\x93NUMPY\x01\x00' + struct.pack('<H', len(head)) + head.encode()
    def zipped(head, n, name='x.npy'):
        "An entry of so many zeros behind `head`"
        piece = bytes(2**22)
        with open(top/'bomb', 'wb') as f, zipfile.ZipFile(f, 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as z, z.open(name, 'w', force_zip64=True) as m:
            m.write(head)
            for _ in range(n//2**22): m.write(piece)
        return (top/'bomb').read_bytes()
    laughs = 'a: &a [x,x,x,x,x,x,x,x,x]\n' + ''.join(f'{c}: &{c} [{",".join([f"*{b}"]*9)}]\n' for b, c in zip('abcdefghi', 'bcdefghij'))
    merges = 'a: &a {k: 1}\n' + ''.join(f'{c}: &{c} {{<<: [{",".join([f"*{b}"]*9)}]}}\n' for b, c in zip('abcdefghi', 'bcdefghij'))
    big = 2**28                                                      # a quarter of the bound of memory, unpacked; its header says 24 times as much
    return {
        'laughs.yaml': (laughs + 'method: wgan\nloop: {betas: *j}\n').encode(), 'merges.yaml': (merges + 'method: wgan\n').encode(),
        'deep.yaml': b'method: ' + b'['*200_000, 'deep.json': b'['*1_000_000, 'long.yaml': b'method: wgan\nx: ' + b'y'*40_000_000,
        'rows.npy': npy((10**12, 3, 8, 8)), 'wide.npy': npy((2, 10**6, 10**7)), 'negative.npy': npy((-1, 3, 8, 8)), 'overflow.npy': npy((2**62, 2**62)),
        'rows.npz': zipped(npy((2**31, 3, 1)), big), 'wide.npz': zipped(npy((4, 3, 2**14, 2**15)), big), 'columns.npz': zipped(npy((4, 3, 2**14, 2**15), order='True'), big),
        'one.npz': _zip({'x.npy': npy((6*10**9,))}),
        'huge.png': b'\x89PNG\r\n\x1a\n' + _chunk(b'IHDR', struct.pack('>2I5B', 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)) + _chunk(b'IDAT', b'x') + _chunk(b'IEND', b''),
        'text.png': b'\x89PNG\r\n\x1a\n' + _chunk(b'IHDR', struct.pack('>2I5B', 8, 8, 8, 2, 0, 0, 0)) + _chunk(b'zTXt', b'a\0\0' + __import__('zlib').compress(bytes(2**28))) + _chunk(b'IEND', b''),
        'header.safetensors': struct.pack('<Q', 2**40) + b'{}', 'shape.safetensors': _safetensors({'w': dict(dtype='F32', shape=[2**40, 2**20], data_offsets=[0, 4])}, b'\0'*4),
        'memo.pkl': b'\x80\x02r\xff\xff\xff\x7f.', 'bytes.pkl': b'\x80\x04\x8e' + struct.pack('<Q', 2**60) + b'.', 'frame.pkl': b'\x80\x04\x95' + struct.pack('<Q', 2**62) + b'N.',
        'stretched.pkl': stylegan(weight=__import__('torch').ones(1).expand(2**20, 2**20)), 'deep.pkl': b'\x80\x02' + b']'*1 + b'('*500_000 + b'.',
        'zeros.gz': gzip.compress(bytes(2**28), 9), 'mosaics.zip': zipped(b'', big, '0000.webp'),
    }

def _chunk(kind, data):
    import zlib
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

def _safetensors(head, data):
    raw = json.dumps(head).encode()
    return struct.pack('<Q', len(raw)) + raw + data


ENDINGS = ('.png', '.jpg', '.npy', '.npz', '.pth', '.pt', '.th', '.ckpt', '.safetensors', '.pkl', '.yaml', '.yml', '.json', '.txt', '.csv', '.tar', '.gz', '.zip', '')

def entries():
    "Name -> (endings that matter to it, a function of a path): the ways by which a file comes into the package"
    from vidgan_nb import datasets as d
    from vidgan_nb.archives import collect
    from vidgan_nb.array_files import Array
    from vidgan_nb.cli_train import Trained, _read_config
    from vidgan_nb.dgflow_chainer import load_chainer
    from vidgan_nb.foreign import load_weights, read_plain
    from vidgan_nb.listing import _IMAGES
    from vidgan_nb.loops import read_checkpoint
    from vidgan_nb.nets import make_net
    from vidgan_nb.queue import read_list
    from vidgan_nb.recipes import _making, load_recipe
    from vidgan_nb.records import Run, _unpack_frames
    from vidgan_nb.scores import load_moments
    from vidgan_nb.stylegan import load_stylegan
    from vidgan_nb.stylegan_d import load_stylegan_d
    from vidgan_nb.thresholds import read_floors
    from vidgan_nb.tuning import read_table, read_tries
    from vidgan_nb import cli
    def among(name, read):
        "Read a folder in which the file has this name"
        def f(path):
            home = Path(path).with_name('as a part')
            home.mkdir(exist_ok=True)
            for p in home.iterdir(): p.unlink()
            os.rename(path, home/name)
            return read(home)
        return f
    def net(): return make_net('MLP', sizes=[2, 4, 1])
    def loaded(read):
        "As `load` calls it for a recipe, which says in one line that memory ran out"
        def f(path):
            with _making('the data'): return read(Path(path))
        return f
    def rows(path):
        a = Array(path)
        return [*a.rows(range(min(2, len(a))))]
    arrays, plain, text = ('.npy', '.npz'), ('.pth', '.pt', '.th', '.ckpt', '.safetensors', ''), ('.yaml', '.yml', '.txt', '.json', '')
    return {
        'data': (arrays, loaded(lambda p: d.load(f'folder:{p}', n=2))), 'all data': (arrays, loaded(lambda p: d.load(f'folder:{p}'))), 'images': (tuple(_IMAGES), loaded(lambda p: d.load(f'folder:{p.parent}', size=8))),
        'array': (arrays, rows), 'statistics': (arrays, load_moments), 'chainer': (arrays, lambda p: load_chainer(net(), p)), 'frames': (arrays, _unpack_frames),
        'weights': (plain, read_plain), 'network': (plain, lambda p: load_weights(net(), p)), 'stylegan': (('.pkl', ''), load_stylegan), 'stylegan D': (('.pkl', ''), load_stylegan_d),
        'trained': (('.pkl', '.pth', '.json', ''), lambda p: Trained(p)), 'recipe': (('.yaml', '.yml'), lambda p: load_recipe(str(p))),
        'train': (('.yaml', '.yml'), lambda p: cli._method_of(str(p), {})), 'config': (text, _read_config), 'floors': (text, read_floors), 'tries': (text, read_tries), 'list': (text, lambda p: read_list([p])),
        'table': (('.csv', ''), read_table), 'cifar': (('.pkl', ''), loaded(lambda p: d._unpickle(p, 'data'))), 'idx': (('.gz', ''), loaded(lambda p: d._idx(p, 4, 8, 8))), 'mosaics': (('.zip', ''), loaded(lambda p: d._part(p, 0, 9))),
        'labels': (arrays, among('labels.npz', loaded(d._labels))), 'checkpoint': (('.json', ''), among('state.json', read_checkpoint)), 'record': (('.json', ''), among('record.json', Run)),
        'archive': (('.tar', ''), among('records-0.tar', lambda home: collect(home, home/'runs', home/'work', say=lambda *_: None))),
    }

# these inner readers would wait for a pipe in the place of a file; `load`, which calls them, refuses it before: see `pipes` in tools/drill.py
PIPES = 'cifar', 'idx', 'mosaics', 'labels'

def attack(top, names, log):
    "Give files to all entries that take their endings; a line for each that ended in anything but a refusal or a result. Runs in a process of its own"
    from vidgan_nb.basics import BadInput
    import traceback, warnings
    warnings.simplefilter('ignore')
    bad, tried, ways = [], 0, entries()
    for name in names:
        raw = (top/'files'/name).read_bytes() if (top/'files'/name).is_file() else None
        ends = [Path(name).suffix] if '.' in name else ENDINGS
        for way, (known, read) in ways.items():
            if raw is None and way in PIPES: continue
            for end in known if ends is ENDINGS else [e for e in ends if e in known]:
                home = top/f'try {tried}'
                home.mkdir()
                path = home/f'file{end}'
                if raw is None: os.mkfifo(path)
                else: path.write_bytes(raw)
                Path(log).write_text(f'{name} as {way} in file{end}', encoding='utf-8')
                tried += 1
                try: read(path)
                except BadInput as e:
                    if len(str(e).splitlines()) != 1: bad.append(f'{name} as {way} (file{end}): not one line: {e!s:.200}')
                except BaseException as e: bad.append(f'{name} as {way} (file{end}): {"".join(traceback.format_exception(e)[-2:])[:300]}')
                import shutil
                shutil.rmtree(home, ignore_errors=True)
    return dict(bad=bad, tried=tried)


def accepted(top):
    "Which files that have to be refused are not, or without the words that their refusal must have"
    from vidgan_nb.basics import BadInput
    from vidgan_nb.pickles import read_stylegan
    from vidgan_nb.recipes import load_recipe
    from vidgan_nb.thresholds import read_floors
    import torch
    whole = stylegan()
    half = len(whole)//2
    def recipe(p): return load_recipe(str(p))
    cases = {'bytes behind a pickle': (read_stylegan, '.pkl', whole + b'x', 'SHA-256'), 'a pickle twice': (read_stylegan, '.pkl', whole + whole, 'behind its end'),
             'a block twice': (read_stylegan, '.pkl', whole[:half] + whole[half - 512:], 'SHA-256'),
             'a block of zeros': (read_stylegan, '.pkl', whole[:half] + bytes(1024) + whole[half + 1024:], 'a block of zeros'),
             'a stretched tensor': (read_stylegan, '.pkl', stylegan(weight=torch.ones(1).expand(2**20, 2**20)), 'made of 1 numbers'),
             'aliases in a recipe': (recipe, '.yaml', b'method: wgan\nabout: &a x\nsearch: *a\n', 'alias'), 'aliases in floors': (read_floors, '.yaml', b'a: &a {}\nb: *a\n', 'alias')}
    out = []
    for i, (name, (read, end, raw, word)) in enumerate(cases.items()):
        path = top/f'refuse {i}{end}'
        path.write_bytes(raw)
        try: read(path)
        except BadInput as e:
            if word not in str(e): out.append(f'{name}: {e}')
        else: out.append(name)
    return out
