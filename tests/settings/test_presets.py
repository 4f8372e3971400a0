import pytest

from tf_style.settings import InputError, Settings
from tf_style.settings.presets import preset_values, presets


@pytest.mark.parametrize("name", presets())
def test_a_preset_holds_settings(name):
    values = preset_values(name)
    assert bool(values) != (name == "quickstart")
    settings = Settings(**values)
    for field, value in values.items():
        assert getattr(settings, field) == getattr(Settings(**{field: value}), field)


def test_switches_are_read(tmp_path, monkeypatch):
    lines = ["# Mine.", "--offline", "--normalize_gradients=false", "--size=9"]
    (tmp_path / "my.flags").write_text("\n".join(lines))
    monkeypatch.setattr("tf_style.settings.presets._folders", lambda: [tmp_path])
    assert preset_values("my") == {"offline": True, "normalize_gradients": False, "size": "9"}
    with pytest.raises(InputError, match=r"^preset=no: there is no such preset. All: my$"):
        preset_values("no")
