"""The scheduler's page in a real browser, on a running fleet."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

PATIENCE_MS = 60_000


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("fleet")
    fulcrum, at = os.environ["FULCRUM_BINARY"], f"127.0.0.1:{free_port()}"
    scheduler = f"unix://{folder}/scheduler.sock"
    process = subprocess.Popen(
        [
            fulcrum,
            "up",
            "--boards=2",
            f"--data={folder}",
            f"--scheduler={scheduler}",
            f"--optimizer=unix://{folder}/optimizer.sock",
            f"--http={at}",
            "--optimizer-http=none",
        ]
    )
    try:
        submit = [fulcrum, "job", "submit", "deploy/jobs/gate.toml", f"--scheduler={scheduler}"]
        for _ in range(100):
            if (folder / "scheduler.sock").exists():
                break
            assert process.poll() is None, "fulcrum up ended"
            time.sleep(0.1)
        subprocess.run(submit, check=True)
        yield f"http://{at}"
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "chromium is installed by tests/python.sh"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1300, "height": 1200})
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield page
        browser.close()


def test_a_job_is_followed_from_the_fleet_to_its_turns(fleet: str, page: Page) -> None:
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(fleet)
    expect(page.get_by_role("status")).to_have_text("live")
    board = page.locator("#boards tr").filter(has_text="gate")
    expect(board.first).to_contain_text("running")
    board.first.get_by_role("link", name="gate").click()
    expect(page.locator("#job-title")).to_have_text("gate: running")
    expect(page.locator("#plans tr").first).to_contain_text("gpu_khz")
    # What is drawn, drawn for those who do not see it too.
    drawn = {"power": "power in W: lately", "latency": "budget", "front": "plans", "turns": "turns"}
    for chart, words in drawn.items():
        image = page.locator(f"#{chart} svg")
        expect(image).to_have_attribute("aria-label", re.compile(words))
    expect(page.locator("#front .ring")).to_have_count(1)
    expect(page.locator("#turns rect").first).to_be_attached()
    expect(page.locator("#events li").first).to_be_visible()
    if shown := os.environ.get("FULCRUM_PAGE_PICTURE"):
        page.wait_for_timeout(20_000)
        page.screenshot(path=shown, full_page=True)
    assert not troubles


def test_what_is_not_there_is_said(fleet: str, page: Page) -> None:
    assert page.request.get(f"{fleet}/jobs/nobody").status == 404
    assert page.request.get(f"{fleet}/boards/nobody/turns").status == 404


def test_the_page_works_by_keyboard_and_names_what_it_has(fleet: str, page: Page) -> None:
    page.goto(f"{fleet}/#")
    expect(page.locator("#jobs a").first).to_be_visible()
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#boards, #jobs') !== null"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("#job")).to_be_visible()
    unnamed = page.evaluate(
        "[...document.querySelectorAll('a, select, table, svg, section')].filter((e) =>"
        " !(e.textContent.trim() || e.getAttribute('aria-label') || e.getAttribute('aria-labelledby'))).length"
    )
    assert unnamed == 0
