"""Networks of experiments: trained where they can be, built once."""

from tfstyle.experiments.backbones import NetworkOptions, Networks


def test_without_weights_they_are_random_and_say_so(monkeypatch):
    networks = Networks(3)
    assert networks.record("VGG16") == {"name": "random", "source": "He, seed 3"}
    assert networks.label("VGG16") == "VGG16 (random weights, seed 3)"
    network = networks.get("VGG16")
    assert (network.weights, network.seed, network.pooling) == ("random", 3, "avg")
    assert networks.get("VGG16") is network
    unit = networks.get("VGG16", NetworkOptions(input_scaling="unit"))
    assert unit is not network
    assert unit.input_scaling == "unit"


def test_with_weights_they_are_trained(real_weights):
    networks = Networks()
    assert networks.trained("VGG19")
    assert networks.label("VGG19") == "VGG19"
    assert not networks.trained("NASNetMobile")
    assert not Networks(0, "random").trained("VGG19")
