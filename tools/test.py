"""All tests: every notebook, and the checks of checks.py. What `make test` runs.

    python tools/test.py                   everything but the second passes
    python tools/test.py wgan export       only tests whose name holds one of these words, second passes too
    python tools/test.py @exported         all second passes
    python tools/test.py --list            their names

A notebook is run with its own definitions (`10_wgan`); in a second pass its checks are run against the exported module (`10_wgan@exported`).
Since the module is checked to be what the notebook exports (`export`) and to use no name that it does not define (`style`), a second pass
finds little that the first does not, and takes as long: it is run where it is asked for.
Each test is a process of its own (on Linux a fork of one that has imported torch already) with one torch thread and a time limit; as many run at once as there are cores. A notebook
should take 30 s of processor time a pass at most; it is marked slow above that, and fails above two and a half times that. Ends with `N passed, M failed`, and with a non-zero status if any failed or nothing ran.
"""
import argparse, contextlib, gc, json, os, signal, subprocess, sys, tempfile, threading, time, traceback
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib import import_module
from pathlib import Path
here = Path(__file__).resolve().parent
sys.path.insert(0, str(here))
import nb as N


def tests(root):
    "{name: function that returns what is wrong, a line each}; the long ones first"
    import anydata, bench_memory, checks, drill, nbrun, parity, processes, release, selfcheck
    found = {f.__name__: (lambda f=f: f(root)) for f in checks.ALL}
    out = {k: found.pop(k) for k in ('site', 'witnesses') if k in found}
    out |= dict(anydata=anydata.problems, drill=drill.problems, parity=parity.problems, processes=processes.problems, restarts=processes.restarts,
                memory=bench_memory.problems, release=lambda: release.problems(root))
    def put(name, f):
        if name in out or not name.isprintable(): sys.exit(f'{name!r}: two tests have this name, or it cannot be printed; rename the notebook')
        out[name] = f
    for p in N.notebooks(root):
        for exported in (False, True):
            if exported and not N.default_exp(N.read(p)): continue
            put(book(root, p) + '@exported'*exported, lambda p=p, e=exported: [x for x in [nbrun.run(p, e)] if x])
    for k, f in selfcheck.ALL.items(): put(f'selfcheck {k}', f)
    for k, f in found.items(): put(k, f)
    return out


def book(root, path):
    "The name of a notebook's test: 10_wgan, checks/10_wgan"
    return N.name(root, path).removesuffix('.ipynb')


def one(root, name):
    "Run one test in this process; the exit status"
    try: wrong = tests(root)[name]()
    except BaseException: wrong = [traceback.format_exc()]
    for w in wrong: print(w)
    sys.stdout.flush()
    return int(bool(wrong))


def environment(root):
    "One thread, this tree before any installed one, this environment's commands, and nothing of the user's data"
    env = {k: v for k, v in os.environ.items() if k not in ('IN_TEST', 'VIDGAN_DATA', 'MPLBACKEND')}
    for k in ('OMP', 'MKL', 'OPENBLAS', 'NUMEXPR', 'VECLIB_MAXIMUM'): env[f'{k}_NUM_THREADS'] = '1'
    env['PYTHONPATH'] = os.pathsep.join([str(root), *filter(None, [env.get('PYTHONPATH')])])
    env['PATH'] = os.pathsep.join([str(Path(sys.executable).parent), env.get('PATH', '')])
    return env


PRELOADED = 'torch', 'torch._dynamo', 'execnb.shell', 'matplotlib.pyplot', 'scipy.optimize', 'scipy.stats'   # what most tests import: seconds each


def serve(root):
    "Run the tests that stdin names, one after the other, each in a process of its own: a fork of this one, which has imported PRELOADED"
    for m in PRELOADED if forks else ():
        with contextlib.suppress(ImportError): import_module(m)
    gc.freeze()                                                # a fork that collects garbage would copy all that it looks at: a second each
    for line in sys.stdin:
        name, log = json.loads(line)
        with open(log, 'ab') as out, open(os.devnull, encoding='utf-8') as nothing:
            pid = os.fork() if forks else subprocess.Popen([sys.executable, str(here/'test.py'), '--root', str(root), '--one', name], stdin=nothing, stdout=out, stderr=out, start_new_session=True).pid
            if not pid:
                os.setsid()
                for k, f in enumerate((nothing, out, out)): os.dup2(f.fileno(), k)
                sys.argv[1:] = ['--root', str(root), '--one', name]
                sys.exit(one(root, name))
        print(json.dumps(pid), flush=True)
        _, status, use = os.wait4(pid, 0)                      # with the processor time of all that it started
        print(json.dumps([os.waitstatus_to_exitcode(status), use.ru_utime + use.ru_stime]), flush=True)


forks = sys.platform == 'linux'                                # elsewhere a fork of a process with torch in it may hang
mine, servers, running, stopping = threading.local(), [], set(), threading.Event()


def ask(root, name, log, limit):
    "Have a test run by this thread's server: its exit status, processor seconds, and whether the time limit stopped it"
    s = getattr(mine, 'server', None)
    if s is None or s.poll() is not None:
        s = mine.server = subprocess.Popen([sys.executable, str(here/'test.py'), '--root', str(root), '--serve'], env=environment(root), cwd=root,
                                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding='utf-8', start_new_session=True)
        servers.append(s)
    s.stdin.write(json.dumps([name, log]) + '\n')
    s.stdin.flush()
    pid = json.loads(s.stdout.readline())
    running.add(pid)
    timer = threading.Timer(limit, stop, [pid])
    timer.start()
    status, used = json.loads(s.stdout.readline())
    late = not timer.is_alive()
    timer.cancel()
    running.discard(pid)
    stop(pid)                                                  # whatever it left running
    return status, used, late


def spawn(root, name, limit, cpu):
    "Run one test in a process of its own: (passed, what it said, seconds, processor seconds)"
    if stopping.is_set(): return False, 'not run', 0., 0.
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as tmp:
        log = Path(tmp)/'log'
        log.touch()
        try: status, used, late = ask(root, name, str(log), limit)
        except (OSError, ValueError) as e: return False, f'the process that runs tests ended: {e}', time.monotonic() - start, 0.
        said = log.read_text(encoding='utf-8', errors='replace')
    if late: said += f'\nstopped after {limit:.0f} s, the time limit\n'
    elif status < 0: said += f'\nended by signal {-status}\n'
    elif cpu and used > cpu: said += f'\nused {used:.1f} s of processor time; a notebook may take {cpu:.0f} s a pass\n'
    return not status and not late and not (cpu and used > cpu), said, time.monotonic() - start, used


def stop(pid):
    "End a test's process and all that it started"
    try: os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError): pass


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('words', nargs='*', help='run only tests whose name holds one of these')
    p.add_argument('--list', action='store_true', help='print the names of the tests')
    p.add_argument('-j', '--jobs', type=int, default=len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count(), help='tests at once (default: the cores)')
    p.add_argument('--limit', type=float, default=300, help='seconds after which a notebook is stopped (other tests: three times that): long, since a machine may have other work: what a notebook costs is bounded by --cpu')
    p.add_argument('--cpu', type=float, default=75, help='seconds of processor time after which a pass of a notebook fails: two and a half times what it should take, for a slow or crowded machine')
    p.add_argument('--root', type=lambda s: Path(s).resolve(), default=here.parent, help=argparse.SUPPRESS)
    p.add_argument('--one', help=argparse.SUPPRESS)
    p.add_argument('--serve', action='store_true', help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.one: sys.exit(one(a.root, a.one))
    if a.serve: return serve(a.root)
    names = [n for n in tests(a.root) if (any(w in n for w in a.words) if a.words else not n.endswith('@exported'))]
    if a.list: print('\n'.join(names)); return
    books = {book(a.root, p) for p in N.notebooks(a.root)}
    start, passed, width = time.monotonic(), 0, max(map(len, names), default=0)
    with ThreadPoolExecutor(a.jobs) as pool:
        is_book = {n: n.split('@')[0] in books for n in names}
        jobs = {pool.submit(spawn, a.root, n, a.limit if is_book[n] else 3*a.limit, a.cpu if is_book[n] else 0): n for n in names}
        try:
            for j in as_completed(jobs):
                ok, said, took, used = j.result()
                passed += ok
                print(f"{'ok  ' if ok else 'FAIL'}  {jobs[j]:{width}}  {took:6.1f} s  {used:6.1f} s cpu{'  slow' if is_book[jobs[j]] and used > 30 else ''}", flush=True)
                if not ok: print('\n'.join('      ' + (l if len(l) < 500 else l[:500] + ' ...') for l in said.strip().splitlines()), flush=True)
        except KeyboardInterrupt:
            stopping.set()
            for q in [*running, *(s.pid for s in servers)]: stop(q)
            raise SystemExit(130)
    for s in servers: s.communicate()
    print(f'{time.monotonic() - start:.0f} s on {a.jobs} cores')
    print(f'{passed} passed, {len(names) - passed} failed')
    sys.exit(passed < len(names) or not names)


if __name__ == '__main__': main()
