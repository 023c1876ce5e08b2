"""All tests: every notebook in two passes, and the checks of checks.py. What `make test` runs.

    python tools/test.py                   everything
    python tools/test.py wgan export       only tests whose name holds one of these words
    python tools/test.py --list            their names

A notebook is run with its own definitions (`10_wgan`) and its checks are run against the exported module (`10_wgan@exported`).
Each test is a process of its own with one torch thread and a time limit; as many run at once as there are cores. A notebook
should take 30 s of processor time a pass at most; it is marked slow above that, and fails above twice that. Ends with `N passed, M failed`, and with a non-zero status if any failed or nothing ran.
"""
import argparse, os, signal, subprocess, sys, tempfile, threading, time, traceback
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
here = Path(__file__).resolve().parent
sys.path.insert(0, str(here))
import nb as N


def tests(root):
    "{name: function that returns what is wrong, a line each}; the long ones first"
    import anydata, checks, nbrun, parity, release, selfcheck
    found = {f.__name__: (lambda f=f: f(root)) for f in checks.ALL}
    out = {k: found.pop(k) for k in ('site', 'witnesses') if k in found}
    out['anydata'], out['parity'], out['release'] = anydata.problems, parity.problems, lambda: release.problems(root)
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


running, stopping = set(), threading.Event()


def spawn(root, name, limit, cpu):
    "Run one test in a process of its own: (passed, what it said, seconds, processor seconds)"
    if stopping.is_set(): return False, 'not run', 0., 0.
    start = time.monotonic()
    with tempfile.TemporaryFile() as log:
        p = subprocess.Popen([sys.executable, str(here/'test.py'), '--root', str(root), '--one', name], env=environment(root), cwd=root,
                             stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        running.add(p)
        timer = threading.Timer(limit, stop, [p])
        timer.start()
        _, status, use = os.wait4(p.pid, 0)                    # with the processor time of all that it started
        late = not timer.is_alive()
        timer.cancel()
        p.returncode = os.waitstatus_to_exitcode(status)
        running.discard(p)
        stop(p)                                                # whatever it left running
        log.seek(0)
        said = log.read().decode(errors='replace')
    took, used = time.monotonic() - start, use.ru_utime + use.ru_stime
    if late: said += f'\nstopped after {limit:.0f} s, the time limit\n'
    elif p.returncode < 0: said += f'\nended by signal {-p.returncode}\n'
    elif cpu and used > cpu: said += f'\nused {used:.1f} s of processor time; a notebook may take {cpu:.0f} s a pass\n'
    return not p.returncode and not late and not (cpu and used > cpu), said, took, used


def stop(p):
    "End a test's process and all that it started"
    try: os.killpg(p.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError): pass


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('words', nargs='*', help='run only tests whose name holds one of these')
    p.add_argument('--list', action='store_true', help='print the names of the tests')
    p.add_argument('-j', '--jobs', type=int, default=len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count(), help='tests at once (default: the cores)')
    p.add_argument('--limit', type=float, default=300, help='seconds after which a notebook is stopped (other tests: three times that): long, since a machine may have other work: what a notebook costs is bounded by --cpu')
    p.add_argument('--cpu', type=float, default=60, help='seconds of processor time after which a pass of a notebook fails: twice what it should take, for a crowded machine')
    p.add_argument('--root', type=lambda s: Path(s).resolve(), default=here.parent, help=argparse.SUPPRESS)
    p.add_argument('--one', help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.one: sys.exit(one(a.root, a.one))
    names = [n for n in tests(a.root) if not a.words or any(w in n for w in a.words)]
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
            for q in list(running): stop(q)
            raise SystemExit(130)
    print(f'{time.monotonic() - start:.0f} s on {a.jobs} cores')
    print(f'{passed} passed, {len(names) - passed} failed')
    sys.exit(passed < len(names) or not names)


if __name__ == '__main__': main()
