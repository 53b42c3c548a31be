import pickle
import traceback

import pytest

from treering import errors

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.TreeringError)
]


def test_a_traceback_shows_what_would_help():
    error = errors.ConfigurationError("no urllib3", code="extra_missing", hint="pip install it")

    assert traceback.format_exception(error)[-1] == "hint: pip install it\n"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_raised_in_a_process_pool_arrives_whole(kind):
    error = kind("cannot be used", code="bad", path="/x", field="level", hint="another")

    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is kind
    assert str(copy) == "cannot be used"
    assert vars(copy) == vars(error)
