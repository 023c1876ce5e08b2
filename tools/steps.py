"""Copy the training step of each method into a script, run it there, and compare it with the library's.

    python tools/steps.py            all of them
    python tools/steps.py --show wgan-glyphs    print the script

The script holds the source of `step` and of the methods that it calls on `self`, as plain functions; `self` is a plain
namespace with the loop's attributes. It may import public names of the package. Its steps must give the same numbers.
"""
import argparse, ast, inspect, sys, textwrap, types
from functools import partial
from pathlib import Path

RECIPES = ('wgan-glyphs', 'vgan-glyphs', 'sndcgan-hinge-cifar10', 'vid-glyphs', 'vidgan-glyphs', 'simsiam-glyphs',
           'vicreg-glyphs', 'squeeze-glyphs')
PLAIN = 'import math, torch\nimport torch.nn.functional as F\nfrom torch import nn, Tensor\n'


def on_self(tree):
    "The names that a function looks up on self"
    return {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and getattr(n.value, 'id', '') == 'self'}


def plain_function(f):
    "The syntax tree of a method as a function of its own: no decorators, no annotations"
    tree = ast.parse(textwrap.dedent(inspect.getsource(f))).body[0]
    tree.decorator_list, tree.returns = [], None
    for a in [*tree.args.args, *tree.args.kwonlyargs]: a.annotation = None
    return tree


def copied(cls):
    "{name: (function, its tree)} of `step` and the methods it needs, and the other names it looks up on self"
    found, todo, plain = {}, ['step'], set()
    while todo:
        name = todo.pop()
        f = inspect.unwrap(getattr(cls, name)) if callable(getattr(cls, name, None)) else None
        if not inspect.isfunction(f): plain.add(name)
        elif name not in found:
            found[name] = f, plain_function(f)
            todo += on_self(found[name][1])
    return found, plain


def imports(found):
    "The import lines of a script: public names of this package; anything else that is not PyTorch is a fault"
    lines, faults = set(), []
    known = {'math', 'torch', 'F', 'nn', 'Tensor'}
    for name, (f, tree) in found.items():
        nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Name)]
        local = {n.id for n in nodes if isinstance(n.ctx, ast.Store)} | {a.arg for a in ast.walk(tree) if isinstance(a, ast.arg)}
        names = {n.id for n in nodes} & f.__globals__.keys() - known - local
        for k in names:
            v = f.__globals__[k]
            module = v.__name__ if inspect.ismodule(v) else getattr(v, '__module__', None)
            if inspect.ismodule(v): lines.add(f'import {module} as {k}')
            elif k.startswith('_') or module is None: faults.append(f'{name} uses {k}, which a script cannot import')
            else: lines.add(f'from {module} import {k}')
    return sorted(lines), faults


def script(cls):
    "The text of a script, the names that self must hold, and the faults"
    found, plain = copied(cls)
    lines, faults = imports(found)
    names = {k: {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} for k, (_, tree) in found.items()}
    faults += [f'{k} calls super()' for k in found if 'super' in names[k]]
    text = '\n'.join([PLAIN, *lines, '', *(ast.unparse(tree) + '\n' for _, tree in found.values())])
    return text, found, plain, faults


def check(recipe, steps=2):
    "What is wrong with the copied step of a recipe's method"
    import torch
    from vidgan_nb.recipes import build, load_recipe
    from vidgan_nb.recompute import small, stand_in
    r = load_recipe(recipe)
    def made():
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return build(small(r), data=stand_in(r['data']))
    ours, other = made(), made()
    text, found, plain, faults = script(type(ours))
    if faults: return faults
    space = {}
    exec(compile(text, f'script of {recipe}', 'exec'), space)
    student = types.SimpleNamespace(**{k: getattr(other, k) for k in plain | vars(other).keys() if hasattr(other, k)})
    for name in found: setattr(student, name, partial(space[name], student))
    for i in range(steps):
        torch.manual_seed(i)
        a = ours.step()
        torch.manual_seed(i)
        b = student.step()
        apart = {k: (float(a[k]), float(b[k])) for k in a if float(a[k]) != float(b[k])}
        if a.keys() != b.keys() or apart: return [f'step {i + 1} differs: {apart}']
    return []


def faults(root=None):
    "What is wrong, a line each"
    out = []
    for recipe in RECIPES:
        try: out += [f'{recipe}: {what}' for what in check(recipe)]
        except Exception as e: out.append(f'{recipe}: {type(e).__name__}: {e}')
    return out


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--show', metavar='RECIPE')
    a = p.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    if a.show:
        from vidgan_nb.recipes import load_recipe, method
        print(script(method(load_recipe(a.show)))[0])
    else:
        wrong = faults()
        right = len(RECIPES) - len({w.partition(':')[0] for w in wrong})
        print('\n'.join([*wrong, f'{right} of {len(RECIPES)} copied steps give the same numbers']))
        sys.exit(bool(wrong))
