"""Runs one notebook, every cell, in this process; the first failing cell is shown and the exit status is 1.

    python tools/nbrun.py nbs/10_wgan.ipynb              the notebook with its own definitions
    python tools/nbrun.py nbs/10_wgan.ipynb --exported   its checks against the exported module: cells with an export
                                                         directive are left out, the module's names stand in for them
"""
import argparse, importlib, os, sys, traceback
from pathlib import Path
sys.path.insert(0, str(Path(__file__).parent))
import nb as N


def shell():
    "An IPython shell that keeps quiet and remembers each error, also one raised while a value was being displayed"
    from execnb.shell import CaptureShell
    class Shell(CaptureShell):
        failed = None
        def showtraceback(self, exc_tuple=None, *args, **kwargs): self.failed = (exc_tuple or sys.exc_info())[1]
        def showsyntaxerror(self, *args, **kwargs): self.failed = sys.exc_info()[1]
    return Shell(mpl_format='png')


def show(e):
    "The traceback of `e` without the frames of IPython"
    tb = e.__traceback__
    while tb and ('IPython' in tb.tb_frame.f_code.co_filename or 'execnb' in tb.tb_frame.f_code.co_filename): tb = tb.tb_next
    return ''.join(traceback.format_exception(type(e), e, tb))


def run(path, exported=False):
    "What went wrong in the notebook at `path`, or None"
    path, nb = Path(path).resolve(), N.read(path)
    root = next(p for p in path.parents if (p/'settings.ini').is_file())
    sys.path.insert(0, str(root))
    os.chdir(path.parent)
    sh, ran = shell(), 0
    if exported:
        module = importlib.import_module(f"{N.settings(root)['lib_name']}.{N.default_exp(nb)}")
        sh.display_formatter.formatters['image/png'].enabled = False          # the other pass draws the same figures
        sh.user_ns.update({k: v for k, v in vars(module).items() if not (k.startswith('__') and k.endswith('__'))})
    for i, d, _, cell in N.code(nb):
        if exported and N.EXPORT & d.keys(): continue
        sh.run(cell['source'])
        ran += 1
        e = sh.failed or sh.exc
        if e: return f"cell {i} of {path.name}:\n\n{cell['source']}\n\n{show(e)}"
    if not ran and N.code(nb): return f'{path.name}: no cell ran'


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('notebook')
    p.add_argument('--exported', action='store_true')
    a = p.parse_args()
    wrong = run(a.notebook, a.exported)
    if wrong: print(wrong)
    sys.stdout.flush()
    sys.exit(bool(wrong))
