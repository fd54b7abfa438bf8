"""The time zones that a reader is offered."""

from zoneinfo import available_timezones

import pytest

from digest.tokens import Purpose
from digest.web.zones import offered, zones
from tests.web.conftest import START

EN = {zone: (region, called) for region, names in zones("en") for zone, called in names}


def test_every_place_is_offered_once_by_region_and_as_people_call_it():
    assert EN["Asia/Kolkata"] == ("Asia", "Kolkata (India)")
    assert EN["America/Argentina/Buenos_Aires"] == ("America", "Buenos Aires (Argentina)")
    assert len(EN) == sum(len(names) for _, names in zones("en")) > 400
    assert EN.keys() <= available_timezones()


@pytest.mark.parametrize(
    "older", ["Asia/Calcutta", "US/Eastern", "America/Buenos_Aires", "Europe/Kiev", "GMT", "UTC"]
)
def test_an_older_name_and_what_is_no_place_are_not_offered(older):
    assert older in available_timezones()
    assert not offered(older)


def test_regions_and_places_are_in_the_language_of_the_page_and_in_its_order():
    names = dict(zones("pl"))["Europa"]

    assert dict(names)["Europe/Warsaw"] == "Warszawa (Polska)"
    assert [called for _, called in names[:2]] == ["Amsterdam (Holandia)", "Andora (Andora)"]
    assert "Ocean Spokojny" in dict(zones("pl"))


def test_who_has_an_older_name_sees_and_keeps_it(quick_pages):
    bo = quick_pages.reader("bo@example.com")
    old = "Asia/Calcutta"
    quick_pages.store.subscriptions.change(bo.id, START, lambda _: bo.preferences, timezone=old)
    path = quick_pages.path("p", Purpose.PREFERENCES, bo.id)

    assert f"<option selected>{old}</option>" in quick_pages.get(path).text
    quick_pages.post(path, what="everything", cadence="weekly", timezone=old, do="save")

    assert quick_pages.store.subscriptions.get(bo.id).subscriber.timezone == old
