"""`tfstyle train`: its help, and misspelt options."""

import pytest

from tfstyle.cli.main import main
from tfstyle.training import TRAININGS


def ends(capsys, *arguments):
    """Exit code and output of a command that argparse ends."""
    with pytest.raises(SystemExit) as error:
        main(["train", *arguments])
    return error.value.code, capsys.readouterr()


def test_help_lists_the_networks(capsys):
    code, (out, _) = ends(capsys, "--help")
    assert code == 0
    assert all(name in out for name in TRAININGS)


@pytest.mark.parametrize("name", TRAININGS)
def test_help_of_a_network_says_what_options_are_by_default(name, capsys):
    _, (out, _) = ends(capsys, name, "--help")
    text = " ".join(out.split())
    assert "Share of each folder, its last files by name, that is not trained on" in text
    assert "(default: float32)" in text
    assert "the paper's" in text
    assert "tfstyle apply --model RUN" in text


def test_a_misspelt_option_of_a_network_suggests_those_of_the_network(capsys):
    given = ["cyclegan", "--photos", "p", "--paintings", "s", "-o", "r", "--cycle-wight", "3"]
    code, (_, err) = ends(capsys, *given)
    assert code == 2
    assert err.startswith("tfstyle: unknown argument --cycle-wight: did you mean --cycle-weight")
    code, (_, err) = ends(capsys, *given[:-2], "--zzz")
    assert (code, err) == (2, "tfstyle: unknown argument --zzz: see tfstyle train cyclegan --help\n")


def test_an_unknown_network_is_refused(capsys):
    code, (_, err) = ends(capsys, "cycle-gan")
    assert code == 2
    assert "cyclegan" in err
