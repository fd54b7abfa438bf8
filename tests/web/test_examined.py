"""The doctor, as it looks at a website from outside, is content with the pages as they are."""

from dataclasses import replace

from digest.doctor.website import examine_website
from digest.sender import utc_now


def test_the_pages_pass_every_examination_and_nobody_leaves_by_it(quick_pages, listening):
    newsletter = replace(quick_pages.config.newsletter, base_url=listening)
    config = replace(quick_pages.config, newsletter=newsletter)
    before = quick_pages.store.overview.subscribers(), quick_pages.store.overview.suppressions()

    results = list(examine_website(config, quick_pages.site.keys, utc_now))

    verdicts = {result.id: result.verdict.value for result in results}
    assert verdicts == {
        "web.reachable": "ok",
        "web.certificate": "skipped",
        "web.clock": "ok",
        "web.one_click_page": "ok",
        "web.one_click_post": "ok",
    }
    overview = quick_pages.store.overview
    assert (overview.subscribers(), overview.suppressions()) == before
