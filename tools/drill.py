"""A drill: processes that are killed, files that are damaged or hostile, disks that are full, command lines that mean nothing.

    python tools/drill.py --small              what tools/test.py runs: under a minute of processor time
    python tools/drill.py                      all of it: `make drill`: nine minutes of processor time, of which the killed loops take five
    python tools/drill.py kills attacks        only some parts: kills, streaming, processes, recording, files, attacks, places, tensors, steps, words
    python tools/drill.py --plant skip-fsync   with a planted fault, which a few cases have to find; --plant list names them
    python tools/drill.py kills --plant skip-fsync   with a planted fault, in all of a part: ends where it is found
    python tools/drill.py --seed 7             other moments and other damage

Every case runs in a process forked from this one, with bounds of processor time and memory. What is killed goes on and
has to end as a run that was not: bit for bit. What is damaged has to be refused in one line, or to be harmless. The
loops are those of `recipes.METHODS`, each made small by `recompute.small`; the functions that read files are found in
the source, and one that no case covers is a fault. Ends with one line that counts, and a non-zero status if anything is wrong.
"""
import argparse, contextlib, functools, hashlib, json, os, random, resource, shutil, signal, sys, tempfile, time, traceback
from pathlib import Path
from typing import NamedTuple
from concurrent.futures import ThreadPoolExecutor
from unittest import mock
here = Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent)]

CPU, WALL = 120, 600              # seconds of a case: of the processor, which stops what loops; and of the clock, which stops what waits


class Outcome(NamedTuple):
    "How a process ended"
    kind: str                     # 'ok', 'refused' (in one line), 'traceback', 'hang', 'killed'
    value: object = None          # what its function returned, or what it said
    cpu: float = 0.               # seconds of processor time


class Found(Exception): "The fault that was looked for"


class Drill:
    "What happened so far: counts, and a line for each fault"
    def __init__(self, seed=0, say=print):
        self.random, self.faults, self.say, self.seed = random.Random(seed), [], say, seed
        self.killed = self.equal = self.corrupted = self.silent = self.tracebacks = self.attacks = self.executed = self.lost = 0
        self.skipped, self.other, self.turn, self.until = [], {}, 0, ''

    def fault(self, what):
        self.faults.append(what)
        self.say(f'FAULT {what}')
        if self.until and self.until in what: raise Found

    def summary(self):
        more = ''.join(f'{k} {n}, ' for k, n in sorted(self.other.items()))
        return (f'{more}killed {self.killed}, equal {self.equal}; corrupted {self.corrupted}, silent {self.silent}, '
                f'tracebacks {self.tracebacks}; attacks {self.attacks}, executed {self.executed}; lost {self.lost}')


def child(f, *args, home=None, cpu=CPU, wall=WALL, memory=0, user=0):
    "Call `f` in a process of its own, in the folder `home`; what came of it"
    fd, said = tempfile.mkstemp(prefix='drill-')
    if user: os.fchmod(fd, 0o666)
    pid = os.fork()
    if not pid: _inside(f, args, home, cpu, memory, user, fd)
    until, status = time.monotonic() + wall, None
    while status is None:
        done, code, use = os.wait4(pid, os.WNOHANG)
        if done: status = code
        elif time.monotonic() > until:
            os.killpg(pid, signal.SIGKILL)
            _, status, use = os.wait4(pid, 0)
            status = 'late'
        else: time.sleep(.004)
    with contextlib.suppress(ProcessLookupError): os.killpg(pid, signal.SIGKILL)     # whatever it started
    text = Path(said).read_text(encoding='utf-8', errors='replace')
    os.close(fd)
    os.unlink(said)
    took = use.ru_utime + use.ru_stime
    if status == 'late': return Outcome('hang', f'nothing for {wall} s', took)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return Outcome('hang', f'more than {cpu} s of processor time', took) if number == signal.SIGXCPU else Outcome('killed', number, took)
    try: kind, value = json.loads(text.rpartition('\0')[2])
    except ValueError: return Outcome('traceback', f'ended with status {os.WEXITSTATUS(status)}: {text[-400:]}', took)
    if kind == 'refused' and len(str(value).splitlines()) != 1: kind, value = 'traceback', f'not one line: {value!r:.300}'
    return Outcome(kind, value, took)


def _inside(f, args, home, cpu, memory, user, fd):
    "The child's side of `child`"
    from vidgan_nb.basics import BadInput
    kind, value = 'traceback', None
    try:
        os.setsid()
        random.seed(0)                                                    # a fork seeds it anew
        for n in (1, 2): os.dup2(fd, n)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        if home: os.chdir(home)
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 30))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if memory: resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        if user:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        kind, value = 'ok', f(*args)
    except BadInput as e: kind, value = 'refused', str(e)
    except BaseException as e:
        if type(e).__name__ in ('NotFinite', 'OutOfTime'): kind, value = 'refused', str(e)
        else: value = ''.join(traceback.format_exception(e))[-1500:]
    with contextlib.suppress(BaseException): sys.stdout.flush()
    os.lseek(fd, 0, os.SEEK_END)
    os.write(fd, b'\0' + json.dumps([kind, value]).encode())
    os._exit(0)


# ---------------------------------------------------------------------------------------- runs that are killed

SMALL = dict(sngan=['data=glyphs', 'G=Generator', 'G.width=4', 'D=Critic', 'D.n_h=4'])       # where all recipes are large

def recipe_of(method, steps=6):
    "A small recipe of a method: the one of the package with the smallest data, or else the method's defaults"
    from vidgan_nb.fitting import POINTS
    from vidgan_nb.recipes import load_recipe
    from vidgan_nb.recompute import small
    names = [n for n, m, _ in _recipes() if m == method]
    def size(n): return next(d not in POINTS and 1 + (d != 'glyphs') for m, _, d in _recipes() if m == n), n
    name = min(names, key=size) if names else method
    r = load_recipe(name, SMALL.get(method, []))
    return small(r) | dict(steps=steps, checkpoint_every=2, look_every=3, score_every=0, judge='')


def _recipes(found=[]):
    "(name, method, data) of the recipes of the package"
    import yaml
    from vidgan_nb.recipes import RECIPES
    if not found:
        for p in sorted(RECIPES.glob('*.yaml')):
            y = yaml.safe_load(p.read_text(encoding='utf-8'))
            found.append((p.stem, y['method'], y.get('data', {}).get('name', 'glyphs')))
    return found


def digest(loop):
    "A hash of all that the next step of a loop depends on, and of what it measured; not of times, nor of whose it is"
    import torch
    from vidgan_nb.as_json import _flatten
    from vidgan_nb.loops import loop_state
    state, tensors = loop_state(loop), {}
    state['parts']['history'] = {k: v for k, v in state['parts']['history'].items() if k not in ('run', 'seconds', 'cpu_seconds')}
    h = hashlib.sha256(json.dumps(_flatten(state, tensors), sort_keys=True).encode())
    for k in sorted(tensors): h.update(f'{k} {tensors[k].dtype} {tuple(tensors[k].shape)}'.encode() + tensors[k].reshape(-1).view(torch.uint8).numpy().tobytes())
    return h.hexdigest()


def train(r, out, goon=False, arm=None, real=False, **kw):
    "What `vidgan train` does with a recipe, on noise in the shape of its data; returns a hash of the end, and what can be counted on the way"
    from vidgan_nb import recipes
    from vidgan_nb.recompute import stand_in
    made, counted = recipes.build, [0]
    def build(r, root=None, device='cpu', data=None): return made(r, root, device, data=data if real else stand_in(r['data']))
    if arm: arm(recipes.method(r), Path(out))
    elif callable(kw.get('before')): kw['before'](recipes.method(r), Path(out))
    else: sys.addaudithook(lambda event, a: counted.__setitem__(0, counted[0] + _is_written(event, a, str(out))))
    start, kw = time.process_time(), {k: v for k, v in kw.items() if k != 'before'}
    with mock.patch.object(recipes, 'build', build), mock.patch.object(recipes, '_pictures', lambda *_: None):
        loop = recipes.train(r, out, goon=goon, bar=False, **kw)
    return dict(digest=digest(loop), events=counted[0], cpu=time.process_time() - start, done=loop.done)


_WRITES = {'os.rename', 'os.mkdir', 'os.remove', 'os.rmdir', 'shutil.rmtree'}

def _is_written(event, args, out):
    "Whether an audit event is one of writing below the folder `out`"
    if event not in _WRITES and event != 'open': return False
    path = str(args[0])
    return path.startswith(out) and not (event == 'open' and isinstance(args[1], str) and args[1][0] == 'r' and '+' not in args[1])


class Arm:
    "Ends a process at the k-th event that writes below its folder, round its k-th step, or after k seconds of processor time"
    def __init__(self, how, k, log): self.how, self.k, self.log = how, k, str(log)

    def __call__(self, cls, out):
        log, sync = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), os.fsync
        def fsync(fd):
            sync(fd)
            s = os.fstat(fd)
            os.write(log, f'{s.st_dev} {s.st_ino} {s.st_size} {s.st_mtime_ns}\n'.encode())
        os.fsync = fsync
        if self.how == 'cpu': return signal.setitimer(signal.ITIMER_PROF, self.k)
        seen, k, out = [0], int(self.k), str(out)
        def count():
            seen[0] += 1
            if seen[0] == k: os.kill(os.getpid(), signal.SIGKILL)
        if self.how == 'write': sys.addaudithook(lambda event, a: _is_written(event, a, out) and count())
        else:
            step = cls.step
            def counted(loop):
                count()
                found = step(loop)
                count()
                return found
            cls.step = counted


def lose_power(out, log):
    "Cut off every file of a checkpoint that was not forced to the disk, as a machine does that loses its power"
    synced = set(Path(log).read_text(encoding='utf-8').split('\n')) if Path(log).exists() else set()
    for p in Path(out).glob('checkpoints/step-*/*'):
        s = p.stat()
        if f'{s.st_dev} {s.st_ino} {s.st_size} {s.st_mtime_ns}' not in synced: os.truncate(p, s.st_size//2)


def go_on(drill, what, r, out, wanted, **kw):
    "Resume a run that was killed; a fault if it cannot, or ends elsewhere"
    from vidgan_nb.loops import checkpoints
    found = checkpoints(out/'checkpoints')
    if not found: shutil.rmtree(out, ignore_errors=True)                  # before the first step: there is nothing to go on with
    o = child(functools.partial(train, **kw), r, out, bool(found))
    if o.kind != 'ok':
        drill.lost += 1
        drill.fault(f'{what}: cannot go on: {o.kind}: {o.value}')
    elif o.value['digest'] != wanted: drill.fault(f'{what}: resumed at {found[-1].name if found else "the start"}, it ends elsewhere than the unbroken run')
    else: drill.equal += 1


def kill_one(drill, what, r, top, times, **kw):
    "Run a recipe unbroken, then kill it so often at random moments and go on; twice in a row now and then"
    ref = child(functools.partial(train, **kw), r, top/'unbroken')
    if ref.kind != 'ok': return drill.fault(f'{what}: the unbroken run: {ref.kind}: {ref.value}')
    for i in range(times):
        out, log = top/f'killed-{i}', top/f'log-{i}'
        how = ('write', 'step', 'cpu')[(i + drill.turn) % 3]
        most = dict(write=ref.value['events'], step=2*r['steps'], cpu=max(.02, ref.value['cpu']))[how]
        k = drill.random.uniform(.01, most) if how == 'cpu' else drill.random.randint(1, max(1, most))
        o = child(functools.partial(train, **kw), r, out, False, Arm(how, k, log))
        if o.kind not in ('killed', 'ok'):
            drill.fault(f'{what}: {o.kind} before it was killed: {o.value}')
            continue
        if o.kind == 'killed': drill.killed += 1
        elif o.value['digest'] != ref.value['digest']: drill.fault(f'{what}: two unbroken runs differ')
        lose_power(out, log)
        if o.kind == 'killed': go_on(drill, f'{what}, killed at {how} {k:.3g}', r, out, ref.value['digest'], **kw)
    drill.turn += 1


def cases(small):
    "(name, recipe, options) of what is killed: every method, in float32 and bf16, and with an average of the weights"
    from vidgan_nb.recipes import METHODS, method, settings
    out = []
    for name in METHODS:
        r = recipe_of(name)
        out.append((name, r, {}))
        if not small: out.append((f'{name} in bf16', r, dict(precision='bf16')))
        known = settings(method(r))[0]
        if 'ema' in known and not small: out.append((f'{name} with ema', r | dict(loop=r['loop'] | dict(ema=.9)), {}))
    return out


def kills(drill, top, small, only=None):
    "Kill every loop"
    for i, (name, r, kw) in enumerate(cases(small)):
        if only and name not in only: continue
        (top/f'kill-{i}').mkdir()
        kill_one(drill, name, r, top/f'kill-{i}', 1 if small else 3, **kw)
        shutil.rmtree(top/f'kill-{i}')


# ---------------------------------------------------------------------------------------- files that are damaged

def files(drill, top, number, kinds=None, ways=None, until=None):
    "Damage files of every kind, so many times in all, or until a fault says this"
    import drill_files as F
    for line in F.uncovered(here.parent/'vidgan_nb'): drill.fault(line)
    made = {}
    for name, kind in F.KINDS.items():
        if kinds and name not in kinds: continue
        good = top/f'good {name}'
        good.mkdir()
        o = child(kind.make, good)
        a = child(kind.read, _copy(good, top/'read')) if o.kind == 'ok' else o
        if a.kind == 'ok': made[name] = a.value
        else: drill.fault(f'{name}: good files: {a.kind}: {a.value}')
    plan = [(name, way) for way in ways or F.WAYS for name in made]
    drill.random.shuffle(plan)
    for i in range(number):
        if until and any(until in f for f in drill.faults): break
        damage_one(drill, top, *plan[i % len(plan)], made, F)


def _copy(a, b):
    "A fresh copy of a folder"
    shutil.rmtree(b, ignore_errors=True)
    return shutil.copytree(a, b, symlinks=True)


def damage_one(drill, top, name, way, made, F):
    "Damage a file of one kind, and read it"
    kind, folder = F.KINDS[name], _copy(top/f'good {name}', top/'read')
    seed = drill.random.randrange(2**32)
    which = F.damage(folder, random.Random(seed), way)
    if which is None: which, way = F.damage(folder, random.Random(seed), 'flip'), 'flip'
    o = child(kind.read, folder, memory=2**32)
    drill.corrupted += 1
    what = f'{name}: {which} ({way}, {seed})'
    if o.kind == 'ok' and o.value != made[name] and kind.exact and way != 'rehash' and not _is_setting(which, o, F):
        drill.silent += 1
        drill.fault(f'{what}: accepted, and it is another')
    elif o.kind in ('traceback', 'hang', 'killed'):
        drill.tracebacks += o.kind == 'traceback'
        drill.fault(f'{what}: {o.kind}: {o.value}')
    drill.other[o.kind] = drill.other.get(o.kind, 0) + 1


def _is_setting(which, o, F):
    "Is this a text in which one asks for something, so that another text asks for something else?"
    return 'recipe.yaml' in which.split()[0] or 'history.csv' in which.split()[0]


# ---------------------------------------------------------------------------------------- hostile files

def attacks(drill, top, small, only=None):
    "Hand hostile files to every way into the package: nothing in them may run, exhaust the machine, or end in a traceback"
    import drill_files as F
    canary, log = top/'canary', top/'log'
    o = child(F.accepted, top, memory=2**32) if not only else Outcome('ok', [])
    for what in o.value if o.kind == 'ok' else [f'{o.kind}: {o.value}']: drill.fault(f'not refused: {what}')
    (top/'files').mkdir()
    (top/'bin').mkdir()
    gs = top/'bin'/'gs'
    gs.write_text(f'#!/bin/sh\nmkdir {canary}\n', encoding='utf-8')                     # what Pillow calls for PostScript
    gs.chmod(0o755)
    for k, v in {**F.payloads(str(canary)), **({} if small or only else F._bombs(top))}.items(): (top/'files'/k.replace('/', '_')).write_bytes(v)
    names = sorted(p.name for p in (top/'files').iterdir())
    if only: names = [n for n in names if any(w in n for w in only)]
    os.environ['PATH'] = f'{top/"bin"}{os.pathsep}{os.environ["PATH"]}'
    groups = [names[i::6] for i in range(6)] + [['a pipe']] if not only else [names]
    if only and 'pipe' in only: groups = [['a pipe']]
    for group in filter(None, groups): _attack_group(drill, top, group, log, canary, F)


def _attack_group(drill, top, group, log, canary, F, depth=0):
    "Some files in one process; where it dies, each by itself"
    for p in top.glob('try *'): shutil.rmtree(p)
    o = child(F.attack, top, group, log, memory=2**32, wall=drill.wall)
    if canary.exists():
        drill.executed += 1
        drill.fault(f'something ran: {group if len(group) > 1 else log.read_text(encoding="utf-8")}')
        canary.rmdir()
    if o.kind != 'ok' and len(group) > 1:
        for name in group: _attack_group(drill, top, [name], log, canary, F)
    elif o.kind != 'ok': drill.fault(f'{log.read_text(encoding="utf-8")}: {o.kind}: {o.value}')
    else:
        drill.attacks += o.value['tried']
        drill.tracebacks += len(o.value['bad'])
        for line in o.value['bad']: drill.fault(line)


# ---------------------------------------------------------------------------------------- places, processes and signals

class At:
    "Before the k-th step of a run: do something"
    def __init__(self, k, do): self.k, self.do = k, do
    def __call__(self, cls, out):
        step, seen = cls.step, [0]
        def counted(loop):
            seen[0] += 1
            if seen[0] == self.k: self.do(out)
            return step(loop)
        cls.step = counted


def refused(drill, what, o, *words):
    "A fault unless a process was refused, for this reason"
    drill.other['places'] = drill.other.get('places', 0) + 1
    if o.kind != 'refused' or words and not any(w in o.value for w in words): drill.fault(f'{what}: {o.kind}: {o.value}')


def limited(size, r, out):
    "A run in which no file may have more bytes"
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return train(r, out)


def signalled(number, r, out):
    "A run that is sent a signal; which one it says that it got"
    try: train(r, out, before=At(3, lambda _: os.kill(os.getpid(), number)))
    except KeyboardInterrupt as e: return getattr(e, 'signum', 2)


def places(drill, top, small):
    "Disks, folders, rights, memory, signals, two writers"
    r = recipe_of('vgan')
    ref = child(train, r, top/'ref').value['digest']
    def again(what, out): go_on(drill, what, r, out, ref)
    for size in (3000, 30_000, 100_000):
        refused(drill, f'files of at most {size} bytes', child(limited, size, r, top/f'size{size}'), 'cannot write')
        if (top/f'size{size}').exists(): again(f'after files of at most {size} bytes', top/f'size{size}')
    full_disk(drill, top, r, again)
    def move(out): os.rename(out, f'{out}-moved')
    refused(drill, 'a folder that is moved away', child(functools.partial(train, before=At(4, move)), r, top/'here'))
    if (top/'here').exists(): drill.fault('a folder that was moved away is there again')
    again('after a folder was moved away', top/'here-moved')
    for number in (signal.SIGTERM, signal.SIGINT):
        o = child(signalled, int(number), r, top/f'signal{int(number)}')
        if (o.kind, o.value) != ('ok', int(number)): drill.fault(f'signal {number}: {o.kind}: {o.value}')
        again(f'after {number.name}', top/f'signal{int(number)}')
    backwards(drill, top, r, ref)
    rights(drill, top, r)
    two_writers(drill, top, r, ref)
    pipes(drill, top)
    for width in (64, 10**4, 10**6):
        big = r | dict(nets=dict(r['nets'], G=dict(net='MLP', sizes=[r['nets']['G'].get('sizes', [2])[0], width, width, 2])))
        o = child(train, big, top/f'memory{width}', memory=2**30)
        if o.kind not in ('ok', 'refused'): drill.fault(f'a network of width {width} in little memory: {o.kind}: {o.value}')


def backwards(drill, top, r, ref):
    "A clock that is set back by a day at the third step, when a run goes on too, and files that are of tomorrow"
    now = time.time
    def set_back(out):
        time.time = lambda: now() - 86400
        for p in out.rglob('*'): os.utime(p, (now() + 86400,)*2)
    o = child(functools.partial(train, before=At(3, set_back), checkpoint_seconds=.001), r, top/'clock')
    drill.other['places'] = drill.other.get('places', 0) + 1
    if o.kind != 'ok' or o.value['digest'] != ref: drill.fault(f'a clock that is set back: {o.kind}: {o.value}')
    o = child(functools.partial(train, before=At(5, set_back)), r, top/'clock-1', False)
    shutil.rmtree(sorted((top/'clock-1'/'checkpoints').glob('step-*'))[-1], ignore_errors=True)
    for p in (top/'clock-1').rglob('*'): os.utime(p, (now() + 86400,)*2)
    go_on(drill, 'after a clock was set back', r, top/'clock-1', ref)


def pipes(drill, top):
    "A pipe in the place of each file of each published data set: refused, not waited for"
    from vidgan_nb.datasets import _LAYOUTS, SIZES
    from vidgan_nb.recipes import _load
    for name, layouts in _LAYOUTS.items():
        for lay in layouts:
            for split in SIZES[name]:
                for at, f in enumerate(lay.files[split]):
                    root = top/'published'
                    shutil.rmtree(root, ignore_errors=True)
                    home = root/name/lay.home
                    home.mkdir(parents=True)
                    for k, g in enumerate(lay.files[split]):
                        if k == at: os.mkfifo(home/g.split('|')[0])
                        elif '.' in g or lay.read.__name__ != '_read_celeba': (home/g.split('|')[0]).write_bytes(b'')
                        else: (home/g).mkdir()
                    o = child(_load, dict(data=dict(name=name, split=split)), root, wall=min(20, drill.wall))
                    refused(drill, f'a pipe in the place of {f} of {name}', o, 'a pipe')


def full_disk(drill, top, r, again):
    "A disk that is full from the start, and one that fills up"
    import subprocess
    disk = top/'disk'
    disk.mkdir()
    if os.getuid() or subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk], capture_output=True).returncode:
        return drill.skipped.append('a full disk (no tmpfs can be mounted here; the bound on the size of files stands in)')
    try:
        (disk/'else').write_bytes(bytes(2**21 - 2**14))
        refused(drill, 'a full disk', child(train, r, disk/'run'), 'cannot write', 'has 0.0 MB left')
        (disk/'else').unlink()
        shutil.rmtree(disk/'run', ignore_errors=True)
        def fill(out):
            with contextlib.suppress(OSError), open(disk/'else', 'wb') as f: f.write(bytes(2**21))
        refused(drill, 'a disk that fills up', child(functools.partial(train, before=At(4, fill)), r, disk/'run'), 'cannot write')
        (disk/'else').unlink(missing_ok=True)
        again('after a disk was full', disk/'run')
    finally: subprocess.run(['umount', '-l', disk])


def rights(drill, top, r):
    "Folders that may not be written to, files that may not be read"
    user = 65534 if os.getuid() == 0 else 0
    closed, secret = top/'closed', top/'secret.yaml'
    closed.mkdir()
    secret.write_text('method: wgan\n', encoding='utf-8')
    closed.chmod(0o555)
    secret.chmod(0)
    top.chmod(0o755)
    from vidgan_nb.recipes import load_recipe
    o = child(train, r, closed/'run', user=user)
    if user and o.kind == 'traceback' and 'Permission denied' in str(o.value) and 'vidgan_nb' not in str(o.value):
        drill.skipped.append('rights: another user cannot read this Python')
    else:
        refused(drill, 'a folder that is read-only', o, 'cannot write')
        refused(drill, 'a recipe that may not be read', child(load_recipe, str(secret), user=user), 'Permission denied')
    closed.chmod(0o755)


def two_writers(drill, top, r, ref):
    "Two trainings that start at once in one folder: one of them trains"
    with ThreadPoolExecutor(2) as pool: found = list(pool.map(lambda _: child(train, r, top/'both'), range(2)))
    kinds = sorted(o.kind for o in found)
    good = [o.value['digest'] for o in found if o.kind == 'ok']
    if kinds != ['ok', 'refused'] or good != [ref]: drill.fault(f'two writers: {kinds}, {[o.value for o in found]}')


def joined(rank, port, r, out, goon, arm):
    "One of two processes that train together"
    os.environ |= dict(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE='2', MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port), ACCELERATE_USE_CPU='true')
    return train(r, out, goon, arm)


def together(drill, r, out, goon=False, arm=None):
    "Train in two processes, of which the second may be killed"
    import socket
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda k: child(joined, k, port, r, out, goon, arm if k else None, wall=drill.wall), range(2)))


def processes(drill, top):
    "Two processes, one of which is killed"
    r = recipe_of('vgan')
    ref = together(drill, r, top/'two')
    if [o.kind for o in ref] != ['ok', 'ok']: return drill.fault(f'two processes: {[(o.kind, o.value) for o in ref]}')
    for k in (3, 7):
        out = top/f'two-{k}'
        first, second = together(drill, r, out, False, Arm('step', k, top/'log'))
        if second.kind == 'killed': drill.killed += 1
        if first.kind != 'refused': drill.fault(f'the other process was killed at step {k}: {first.kind}: {first.value}')
        again = together(drill, r, out, (out/'checkpoints').exists())
        if again[0].kind == 'ok' and again[0].value['digest'] == ref[0].value['digest']: drill.equal += 1
        else: drill.fault(f'two processes, killed at {k}, go on: {[(o.kind, o.value) for o in again]}, not {ref[0].value}')


def streaming(drill, top, times):
    "A run that reads images from files, with workers"
    import drill_files as F
    from PIL import Image
    (top/'images').mkdir()
    for i in range(24): Image.fromarray(F._pictures(24, 32)[i]).save(top/'images'/f'{i:02d}.png')
    from vidgan_nb.recipes import load_recipe
    made = load_recipe('wgan', [f'data=folder:{top/"images"}', 'data.lazy=true', 'G.width=4', 'D.n_h=4', 'bs=4', 'steps=6', 'judge='])
    kill_one(drill, 'streaming', made | dict(checkpoint_every=2, look_every=3, score_every=0, judge=''), top, times, real=True)


def recorded(home, arm=None):
    "`vidgan record` of a recipe's file; a hash of the record it leaves"
    from vidgan_nb import cli, queue
    from vidgan_nb.records import Run
    import drill_files as F
    os.environ |= dict(VIDGAN_RUNS=str(home/'runs'), VIDGAN_CACHE=str(home/'cache'), VIDGAN_COMMIT='0'*12)
    (home/'mine.yaml').write_text(F.RECIPE + 'checkpoint_every: 3\nscore_n: 50\nagainst: 50\nkeep: [G]\nprecision: float32\n', encoding='utf-8')
    if arm: arm(type('Nothing', (), dict(step=None)), home)
    counted = [0]
    if not arm: sys.addaudithook(lambda event, a: counted.__setitem__(0, counted[0] + _is_written(event, a, str(home))))
    code = cli.main(['record', str(home/'mine.yaml'), '--here', '--no-rehearsal'])
    run = Run(home/'runs'/'mine')
    run.verify()
    return dict(code=code, events=counted[0], what=F.hash_of(run.recipe, run.steps, {k: run.history[k] for k in run.history.names}, run.net('G').state_dict()))


def recording(drill, top, times):
    "The queue is killed, and goes on"
    (top/'ref').mkdir()
    ref = child(recorded, top/'ref')
    if ref.kind != 'ok' or ref.value['code']: return drill.fault(f'vidgan record: {ref.kind}: {ref.value}')
    for i in range(times):
        home = top/f'home {i}'
        home.mkdir()
        k = drill.random.randint(1, ref.value['events'])
        if child(recorded, home, Arm('write', k, top/'log')).kind == 'killed': drill.killed += 1
        o = child(recorded, home)
        if o.kind == 'ok' and not o.value['code'] and o.value['what'] == ref.value['what']: drill.equal += 1
        else:
            drill.lost += 1
            drill.fault(f'vidgan record, killed at write {k}, goes on: {o.kind}: {o.value}')


# ---------------------------------------------------------------------------------------- tensors, derivatives, long runs

def tensors(drill, top, small, only=None):
    "Every public function of tensors with many shapes and types, and the derivatives of those that have one"
    import drill_tensors as T
    names, log = [n for n, _ in T.functions() if n not in T.APART], top/'log'
    if small or only: names = [n for n in names if n in (only or ('wgan.gradient_penalty', 'ssl.variance_loss', 'metrics.moments'))]
    for i, name in enumerate(names):
        for f in (T.fuzz, T.derivatives) if name not in T.NO_DERIVATIVE else (T.fuzz,):
            o = child(f, name, drill.seed, log, home=top, cpu=60, wall=drill.wall, memory=2**33)
            if o.kind != 'ok': drill.fault(f'{log.read_text(encoding="utf-8")}: {o.kind}: {o.value}')
            else:
                key = 'calls' if f is T.fuzz else 'derivatives'
                drill.other[key] = drill.other.get(key, 0) + o.value.get('tried', o.value.get('done', 0))
                for line in o.value['bad']: drill.fault(line)
    if small or only: return
    drill.skipped += [f'{k}: {v}' for k, v in T.APART.items()]


# what a run may have more at its end than after a fifth of its steps; the history keeps what each step measured, some 400 bytes a step
GROWTH = dict(kilobytes=lambda steps: 2000 + .5*steps, handles=lambda steps: 0, threads=lambda steps: 0, objects=lambda steps: 200)

def steps(drill, top, number):
    "A long run that takes ever more memory, files or objects is at fault"
    import drill_tensors as T
    o = child(T.grown, number, top/'long', cpu=600, wall=3*drill.wall)
    if o.kind != 'ok': return drill.fault(f'{number} steps: {o.kind}: {o.value}')
    for k, v in o.value.items():
        if v > GROWTH[k](number): drill.fault(f'{number} steps: {v} {k} more than after a fifth of them')
    drill.say(f'{number} steps: ' + ', '.join(f'{v} {k} more' for k, v in o.value.items()))


# ---------------------------------------------------------------------------------------- command lines

VALUES = ['0', '1', '2', '-1', '1e9', '1e-4', 'nan', 'inf', '-inf', '9'*30, '0.5', 'x', '[]', '{}', '[1, 2]', 'a=b', 'lr=x', 'steps=3', 'G.width=2', 'data.n=20',
          'é', '..', '/', '/dev/null', 'ring', 'glyphs', 'cifar10', 'mine.yaml', 'run', 'a.npz', 'images', 'folder:images', 'folder:a.npz', 'run/checkpoints',
          'none', 'truth', 'record:x', 'wgan', 'wgan-glyphs', 'wgan-glyphs@seed=1', 'mine', 'os:system', 'cpu', 'cuda:9', 'bf16', 'csv', 'FID', 'FID,KID', 'out.png',
          'out.csv', 'new', '', '\udc80', 'x'*5000, '0-2', '1h', '--', '-', '{a: *b}', '&a [*a]', 'list', 'latex']

def commands():
    "(words, options) of every command: each option with whether it takes a value"
    import typer
    from vidgan_nb import cli
    def walk(command, words):
        for name, sub in getattr(command, 'commands', {}).items(): yield from walk(sub, [*words, name])
        if not hasattr(command, 'commands'):
            options = [(o, not getattr(p, 'is_flag', False)) for p in command.params for o in [*p.opts, *p.secondary_opts] if o.startswith('-')]
            yield words, options, [p for p in command.params if not p.opts[0].startswith('-')]
    extra = cli._train_options(['wgan'])[0]
    return list(walk(typer.main.get_command(cli._program(cli.COMMANDS, extra, None)), []))


def spoken(args, home):
    "Run a command line with steps of few, without the network and without other programs"
    import socket
    from vidgan_nb import cli, recipes
    os.environ |= dict(VIDGAN_RUNS=str(home/'runs'), VIDGAN_CACHE=str(home/'cache'), VIDGAN_DATA=str(home/'data'))
    def refuse(*_, **__): raise OSError(101, 'Network is unreachable')
    watch = recipes.watch
    def few(loop, steps, *a, **kw): return watch(loop, min(steps, 2), *a, **kw)
    def leave(*_): raise SystemExit(0)
    with mock.patch.object(socket, 'create_connection', refuse), mock.patch.object(recipes, 'watch', few), mock.patch.object(os, 'execv', leave):
        try: return cli.main(list(args))
        except SystemExit as e: return e.code


def words(drill, top, number):
    "Command lines made of the parser's own commands and options, with values that may mean nothing"
    import drill_files as F
    for make in (F.make_arrays, F.make_recipe): child(make, top)
    (top/'images').mkdir()
    child(F.make_images, top/'images')
    made = commands()
    for i in range(number):
        name, options, params = made[i % len(made)] if i < 2*len(made) else drill.random.choice(made)
        args = [*name, *(drill.random.choice(VALUES) for _ in range(drill.random.choice((0, 1, 1, 1, 2))) if params)]
        for option, takes in drill.random.sample(options, min(len(options), drill.random.choice((0, 1, 2, 3, 5)))):
            args += [option] + [drill.random.choice(VALUES)]*takes
        if drill.random.random() < .1: args.insert(drill.random.randrange(len(args) + 1), drill.random.choice(VALUES))
        o = child(spoken, args, top, home=top, cpu=drill.patience, wall=drill.wall, memory=2**33)
        how = 'stopped' if o.kind == 'hang' else 'words'                      # a training may take longer than we wait
        drill.other[how] = drill.other.get(how, 0) + 1
        if o.kind in ('traceback', 'killed') or o.kind == 'ok' and o.value not in (0, 1, 2, 3, None, 130, 143):
            drill.tracebacks += 1
            drill.fault(f'vidgan {" ".join(map(repr, args))[:300]}: {o.kind}: {str(o.value)[-700:]}')


# ---------------------------------------------------------------------------------------- planted faults

def _plant_skip_fsync():
    from vidgan_nb import loops
    loops._sync = lambda path: None

def _plant_no_checksum():
    from vidgan_nb import loops
    loops._sha256 = lambda raw: '0'*64

def _plant_eval():
    import torch
    from vidgan_nb import foreign
    foreign._load = functools.partial(torch.load, map_location='cpu', weights_only=False)

def _plant_forget_generator():
    import torch
    from vidgan_nb import loops
    load = loops._load_part
    loops._load_part = lambda v, state, names: None if isinstance(v, torch.Generator) else load(v, state, names)

def _plant_traceback():
    from vidgan_nb import loops
    loops._readable = lambda path: contextlib.nullcontext()
    loops._check_fits = lambda *_: None

def _plant_hang():
    from vidgan_nb import arrays
    arrays._size = lambda path, expected: 100

def _plant_no_lock():
    from vidgan_nb import monitor
    monitor._lock = lambda fd: True

def _plant_new_reader():
    import drill_files as F
    F.KINDS['pickle'] = F.KINDS['pickle']._replace(covers='')

def _plant_zeros():
    from vidgan_nb import pickles
    pickles._check_filled = lambda weights: None

def _find_accepted(d, top):
    import drill_files as F
    d.faults += F.accepted(top)

def _plant_nan():
    import torch
    from vidgan_nb import ssl
    ssl.variance_loss = _as('vidgan_nb.ssl', lambda z, eps=1e-4: (z.std(0) - z.std(0)).div(0).mean(), ssl.variance_loss)

def _plant_derivative():
    from vidgan_nb import ssl
    ssl.variance_loss = _as('vidgan_nb.ssl', lambda z, eps=1e-4, made=ssl.variance_loss: made(z, eps) + z.detach().square().sum(), ssl.variance_loss)

def _as(module, f, old):
    "A function that looks like another"
    f.__module__, f.__signature__ = module, __import__('inspect').signature(old)
    return f

def _plant_leak():
    from vidgan_nb.data import Batches
    held, following = [], Batches.__next__
    def leaking(batches):
        held.append([bytearray(2000)])
        return following(batches)
    Batches.__next__ = leaking

def _plant_pipe():
    from vidgan_nb import datasets
    datasets._refuse_pipes = lambda name, root: None

PLANTS = { # name -> how it is planted, what finds it, and a word of what that says
    'skip-fsync': (_plant_skip_fsync, lambda d, top: kills(d, top, True, ['vgan']), 'is damaged'),
    'forget-generator': (_plant_forget_generator, lambda d, top: kills(d, top, True, ['vgan']), 'elsewhere'),
    'no-checksum': (_plant_no_checksum, lambda d, top: files(d, top, 80, ['run'], ['flip'], 'it is another'), 'it is another'),
    'traceback': (_plant_traceback, lambda d, top: files(d, top, 80, ['run'], ['rehash'], 'traceback'), 'traceback'),
    'eval': (_plant_eval, lambda d, top: attacks(d, top, True, ['pickle mkdir', 'torch.save']), 'something ran'),
    'zeros': (_plant_zeros, _find_accepted, 'a block of zeros'),
    'hang': (_plant_hang, lambda d, top: attacks(d, top, True, ['pipe']), 'hang'),
    'no-lock': (_plant_no_lock, lambda d, top: two_writers(d, top, recipe_of('vgan'), ''), 'two writers'),
    'new-reader': (_plant_new_reader, lambda d, top: files(d, top, 0, ['recipe']), 'no kind'),
    'nan': (_plant_nan, lambda d, top: tensors(d, top, True), 'NaN'),
    'derivative': (_plant_derivative, lambda d, top: tensors(d, top, True), 'derivatives'),
    'leak': (_plant_leak, lambda d, top: steps(d, top, 3000), 'more than after'),
    'pipe': (_plant_pipe, pipes, 'a pipe in the place'),
}


def proof(name, seed=0):
    "Plant a fault in a process of its own; what the drill finds"
    def inside():
        PLANTS[name][0]()
        found = Drill(seed, lambda _: None)
        found.wall = 30 if name == 'hang' else 3 if name == 'pipe' else WALL
        with folder() as top: PLANTS[name][1](found, top)
        return found.faults
    o = child(inside, cpu=600, wall=1800)
    if o.kind != 'ok': raise RuntimeError(f'the drill with the planted fault {name}: {o.kind}: {o.value}')
    return [line for line in o.value if PLANTS[name][2] in line]


# ---------------------------------------------------------------------------------------- all of it

@contextlib.contextmanager
def folder():
    top = Path(tempfile.mkdtemp(prefix='drill-'))
    try: yield top
    finally: shutil.rmtree(top, ignore_errors=True)


def prepare():
    "Import what the children need, once; nothing here may train, since trained processes cannot be forked"
    import torch
    torch.set_num_threads(1)
    import accelerate, torch._dynamo, tqdm.auto, typer, yaml                             # noqa: F401
    from vidgan_nb import archives, cli, dgflow_compat, queue, recipes, records, scores, stylegan, tuning, thresholds   # noqa: F401
    for target in recipes.METHODS.values(): recipes.resolve(target)


PARTS = {
    'kills': lambda d, top, small: kills(d, top, small),
    'streaming': lambda d, top, small: small or streaming(d, top, 3),
    'processes': lambda d, top, small: small or processes(d, top),
    'recording': lambda d, top, small: small or recording(d, top, 4),
    'files': lambda d, top, small: files(d, top, 30 if small else 240),
    'attacks': lambda d, top, small: attacks(d, top, small),
    'places': lambda d, top, small: small or places(d, top, small),
    'tensors': lambda d, top, small: tensors(d, top, small),
    'steps': lambda d, top, small: small or steps(d, top, 10_000),
    'words': lambda d, top, small: words(d, top, 10 if small else 200),
}


def told(what): print(what, flush=True)

def run(parts=(), small=False, seed=0, say=told, until=''):
    "The drill; what happened"
    prepare()
    drill, before = Drill(seed, say), dict(os.environ)
    drill.until = until
    drill.wall, drill.patience = WALL, 20
    for name in parts or PARTS:
        with folder() as top:
            os.environ['VIDGAN_CACHE'] = str(top/'cache')
            start = resource.getrusage(resource.RUSAGE_CHILDREN)
            PARTS[name](drill, top, small)
            end = resource.getrusage(resource.RUSAGE_CHILDREN)
            say(f'{name}: {end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime:.0f} s of processor time')
        os.environ.clear()
        os.environ.update(before)
    for what in drill.skipped: say(f'SKIPPED {what}')
    return drill


def problems():
    "What tools/test.py runs: a small drill, and the planted faults, each of which has to be found"
    found = run(small=True)
    print(found.summary())
    return found.faults + [f'the planted fault {name} is not found' for name in PLANTS if not proof(name)]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('parts', nargs='*', choices=[[], *PARTS], help='only these parts')
    p.add_argument('--small', action='store_true', help='under a minute of processor time')
    p.add_argument('--seed', type=int, default=0, help='of all that is random')
    p.add_argument('--plant', help='plant a fault: it has to be found; list: name them')
    a = p.parse_args()
    if a.plant == 'list': return print('\n'.join(PLANTS))
    if a.plant and a.parts:
        PLANTS[a.plant][0]()
        with contextlib.suppress(Found):
            run(a.parts, False, a.seed, until=PLANTS[a.plant][2])
            sys.exit(f'{a.plant}: not found')
        return print(f'{a.plant}: found')
    if a.plant:
        prepare()
        found = proof(a.plant, a.seed)
        print('\n'.join(found))
        print(f'{a.plant}: {len(found)} faults found')
        sys.exit(not found)
    found = run(a.parts, a.small, a.seed)
    print(found.summary(), flush=True)
    sys.exit(bool(found.faults))


if __name__ == '__main__': main()
