"""The house numbers: how large files and functions are. Gates only what is never right."""

import ast
import re
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
BROAD_EXCEPTS_PER_LINE = 0.5 / 1000


def python_files():
    return sorted((ROOT / "src").rglob("*.py"))


def rust_files():
    return sorted(
        path
        for path in (ROOT / "rust").rglob("*.rs")
        if "target" not in path.parts and path.name not in {"tests.rs", "interleavings.rs"}
    )


def spread(numbers):
    ordered = sorted(numbers)
    tenth = ordered[int(len(ordered) * 0.9)] if ordered else 0
    return f"median {statistics.median(ordered):.0f}, p90 {tenth}, max {ordered[-1]}"


def comment_share(files, sign):
    """Lines that only comment, of the lines that say anything; docstrings count as code."""
    lines = [line.strip() for path in files for line in path.read_text().splitlines()]
    said = [line for line in lines if line]
    return sum(line.startswith(sign) for line in said) / len(said)


def main():
    faults = []
    for name, sign, files in (("python", "#", python_files()), ("rust", "//", rust_files())):
        lengths = [len(path.read_text().splitlines()) for path in files]
        print(
            f"{name}: {len(files)} files, {sum(lengths):,} lines; a file: {spread(lengths)}; "
            f"comments {comment_share(files, sign):.0%}"
        )
        for path, length in zip(files, lengths, strict=True):
            if length > 400:
                print(f"  stop and think: {path.relative_to(ROOT)} has {length} lines")
    functions, broad, lines = [], 0, 0
    for path in python_files():
        lines += len(path.read_text().splitlines())
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                functions.append((node.end_lineno or 0) - node.lineno + 1)
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else ""
                broad += caught in {"", "Exception", "BaseException"}
    print(f"python functions: {spread(functions)}; broad except: {broad}")
    if broad > lines * BROAD_EXCEPTS_PER_LINE:
        most = int(lines * BROAD_EXCEPTS_PER_LINE)
        faults.append(f"{broad} broad excepts, {most} would be right")
    for path in sorted((ROOT / "tests").rglob("*.py")):
        if re.search(r"unittest.mock|monkeypatch\.setattr\(.?treering", path.read_text()):
            faults.append(f"{path.relative_to(ROOT)} mocks our own code")
    for path in rust_files():
        if "pyo3" in path.read_text() and "core" in path.relative_to(ROOT / "rust").parts[0]:
            faults.append(f"{path.relative_to(ROOT)} knows PyO3")
    for fault in faults:
        print(f"fault: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
