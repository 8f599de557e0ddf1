"""The database's password from a file of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import make_url

from storage_service.settings import StorageSettings

URL = "mysql+asyncmy://legenda@mysql/legenda"


def test_the_password_of_the_file_goes_into_the_url(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("p@ss/w:rd\n")
    settings = StorageSettings(database_url=URL, database_password_file=str(file))
    assert make_url(settings.database_url).password == "p@ss/w:rd"
    assert "p@ss/w:rd" not in settings.database_url  # it is written as a URL must be
    assert make_url(settings.database_url)._replace(password=None) == make_url(URL)


@pytest.mark.parametrize("text", ["", "two\nlines", None])
def test_a_file_without_a_password_is_told_in_a_sentence(
    tmp_path: Path, text: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "password"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SystemExit):
        StorageSettings(database_url=URL, database_password_file=str(file))
    assert "STORAGE_DATABASE_PASSWORD_FILE" in capsys.readouterr().err
