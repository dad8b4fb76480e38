"""Work on the hand-out in JupyterLab and Notebook 7, in Chromium, as a student does: `python browser.py FOLDER`.

The folder is made: the hand-out is written into it. What must hold is asserted: opening changes nothing, all cells run,
an answer is edited and saved, ids stay, given cells are protected, and `main.py` sees the answer.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

ROOT = Path(__file__).resolve().parent.parent
NAME = "Part4_SummaryQuestions.ipynb"
PORT = 8899
PATIENCE = 120
# The notebook's model in the page: JupyterLab's and Notebook's application object is reached the same way.
MODEL = """
const panel = window.jupyterapp?.shell?.currentWidget, model = panel?.content?.model;
if (!model) return false;
"""
SENTENCE = "The receptive field is what a unit sees."


def serve(folder):
    """Start Jupyter in `folder`, and return its process once it replies."""
    options = [f"--ServerApp.port={PORT}", "--no-browser", "--allow-root", "--IdentityProvider.token="]
    options += [
        "--ServerApp.password=",
        "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True",
    ]
    command = [sys.executable, "-m", "jupyterlab", *options]
    log = open(folder.parent / "jupyter.log", "w")  # noqa: SIM115
    server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"http://localhost:{PORT}/api/status", timeout=5).close()
            return server
        except (urllib.error.URLError, OSError):
            time.sleep(1)
    raise TimeoutError("Jupyter does not reply")


def browser():
    options = webdriver.ChromeOptions()
    for option in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1400,1000"):
        options.add_argument(option)
    options.binary_location = "/usr/bin/chromium"
    return webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))


def until(driver, script, *arguments):
    """Wait until the JavaScript `script` returns something true, and return that."""
    return WebDriverWait(driver, PATIENCE, 0.5).until(lambda _: driver.execute_script(script, *arguments))


def work(driver, address, folder):
    """Open the notebook at `address`, run it, answer a question, save, and assert what must hold."""
    path = folder / NAME
    before = json.loads(path.read_text(encoding="utf-8"))
    driver.get(address)
    until(driver, f"{MODEL} return panel.sessionContext.isReady && model.cells.length > 50;")
    until(driver, f"{MODEL} return panel.sessionContext.session?.kernel?.status === 'idle';")
    time.sleep(5)  # what the front end still writes by itself
    assert not driver.execute_script(f"{MODEL} return model.dirty;"), "opening it changed it"

    commands = "const [name, done] = arguments; window.jupyterapp.commands.execute(name).then(() => done(), done);"
    driver.set_script_timeout(PATIENCE)
    driver.execute_async_script(commands, "notebook:run-all-cells")
    outputs = f"{MODEL} return model.cells.get(arguments[0]).outputs?.toJSON() ?? [];"
    places = {cell["id"]: place for place, cell in enumerate(before["cells"])}
    assert "32, 122, 122" in str(until(driver, outputs, places["cnn-3-snippet"]))
    errors = driver.execute_script(outputs, places["backprop-2-check"])
    assert "NotImplementedError" in str(errors), errors

    place = places["cnn-1-answer"]
    driver.execute_script(f"{MODEL} panel.content.activeCellIndex = arguments[0];", place)
    driver.execute_script(f"{MODEL} panel.content.scrollToItem(arguments[0]);", place)
    driver.execute_async_script(commands, "notebook:enter-edit-mode")
    until(driver, "return document.querySelector('.jp-Notebook-cell.jp-mod-active .cm-content') !== null;")
    editor = driver.find_element(By.CSS_SELECTOR, ".jp-Notebook-cell.jp-mod-active .cm-content")
    editor.send_keys(Keys.CONTROL + Keys.END)
    editor.send_keys("\n" + SENTENCE)
    protected = f"{MODEL} const m = model.cells.get(arguments[0]); return m.getMetadata('editable') === false;"
    assert driver.execute_script(protected, places["cnn-1-question"])
    read_only = "return panel.content.widgets[arguments[0]].readOnly;"
    assert driver.execute_script(f"{MODEL} {read_only}", places["cnn-1-question"])
    assert not driver.execute_script(f"{MODEL} {read_only}", place)
    driver.execute_async_script(commands, "docmanager:save")
    until(driver, f"{MODEL} return !model.dirty;")

    after = json.loads(path.read_text(encoding="utf-8"))
    assert [cell["id"] for cell in after["cells"]] == [cell["id"] for cell in before["cells"]]
    assert SENTENCE in "".join(after["cells"][place]["source"])
    main = [sys.executable, "main.py", "--only=cnn-1", "--only=cnn-2"]
    done = subprocess.run(main, cwd=folder, capture_output=True, text=True)
    assert "cnn-1: answered" in done.stdout and "cnn-2: no answer yet" in done.stdout, done.stdout + done.stderr


def outline(driver):
    """Return the headings that JupyterLab's outline shows."""
    commands = "const [name, done] = arguments; window.jupyterapp.commands.execute(name).then(() => done(), done);"
    driver.execute_async_script(commands, "toc:show-panel")
    found = "return [...document.querySelectorAll('.jp-tocItem-content')].map(each => each.textContent);"
    return until(driver, f"{found[:-1]}.length > 30 && {found.removeprefix('return ')}")


def main(folder):
    os.environ["JUPYTER_CONFIG_DIR"] = os.environ["JUPYTER_DATA_DIR"] = str(folder.parent / "jupyter")
    for address, name in {"lab/tree": "JupyterLab", "notebooks": "Notebook"}.items():
        place = folder / name
        subprocess.run([sys.executable, str(ROOT / "main.py"), "handout", str(place)], check=True)
        server = serve(place)
        driver = browser()
        try:
            work(driver, f"http://localhost:{PORT}/{address}/{NAME}", place)
            if name == "JupyterLab":
                headings = outline(driver)
                assert any("what a receptive field is" in each for each in headings), headings
                driver.save_screenshot(str(folder.parent / "jupyterlab.png"))
            print(f"{name}: opened unchanged, ran, answered, saved, and main.py saw the answer")
        finally:
            driver.quit()
            server.terminate()
            server.wait(timeout=30)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
