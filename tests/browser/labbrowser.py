"""A real JupyterLab in a real Chromium: a server with throw-away settings, a page, a notebook.

The server listens on loopback only, everything it writes goes to one temporary folder, and the
browser is the one that the system has (``LABKIT_CHROMIUM`` names another).
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import nbformat

from labkit.cli import lab_environment
from labkit.waiting import wait_until

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# No sandbox: the tests run as root in a container; the rest keeps Chromium from calling home.
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Where Jupyter keeps things: the learner's own settings must not decide a test.
FOLDERS = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    "IPYTHONDIR": "ipython",
}


def find_chromium():
    """Return the path of a Chromium, or None."""
    given = os.environ.get("LABKIT_CHROMIUM")
    if given:
        return given
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def open_page(browser):
    """Open a fresh page; ``page.complaints`` lists its console errors and uncaught exceptions."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.complaints = []
    page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    # The server serves other tests, too: no kernel stays behind.
    page.evaluate("() => window.jupyterapp?.serviceManager.sessions.shutdownAll()")
    page.close()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class JupyterLab:
    """One server on a folder of notebooks, without a token.

    Parameters
    ----------
    root
        The folder that the server shows.
    command
        The command that starts it; None: ``python -m jupyterlab`` on ``root``. Options for
        port, token and the like are added to it.
    """

    def __init__(self, root, command=None):
        self.root = Path(root).resolve()
        self.command = command or [
            *(sys.executable, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1"),
            *("--allow-root", f"--ServerApp.root_dir={self.root}"),
        ]
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="lab-browser-")
        place = Path(self._folder.name)
        self.log = place / "server.log"
        places = {name: str(place / folder) for name, folder in FOLDERS.items()}
        options = [
            "--no-browser",
            f"--ServerApp.port={self.port}",
            "--ServerApp.port_retries=0",
            "--IdentityProvider.token=",
            "--LabApp.expose_app_in_browser=True",
        ]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*self.command, *options], env=lab_environment() | places, stdout=log, stderr=log
            )
        try:
            wait_until(
                self._answers, what="JupyterLab does not answer", timeout_s=60, retry_on=(OSError,)
            )
        except BaseException as error:
            error.add_note(self.log.read_text())
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)  # it ends its kernels, then itself
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._folder.cleanup()

    def _answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"JupyterLab ended with status {self.process.returncode}")
        status = f"{self.url}/api/status"
        with urllib.request.urlopen(status, timeout=2) as answer:  # noqa: S310 - our own server
            return answer.status == 200

    def open_cells(self, page, name, cells):
        """Write a notebook of these code cells, open it, and return it when its kernel is ready."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, self.root / name)
        return self.open(page, name)

    def open(self, page, name):
        """Open a notebook in an empty workspace, and return it when its kernel is ready."""
        page.goto(f"{self.url}/lab/tree/{name}?reset")
        return Notebook(page)


class Notebook:
    """The notebook in front, driven by JupyterLab's own commands (not by clicks that may miss)."""

    CELLS = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell"

    def __init__(self, page):
        self.page = page
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60_000)
        # The toolbar can say "idle" before the kernel is connected, and "run all" is lost then.
        page.evaluate(
            """async () => {
                const {context, sessionContext} = jupyterapp.shell.currentWidget;
                await context.ready;
                await sessionContext.ready;
                await sessionContext.session.kernel.info;
            }"""
        )

    def command(self, name, **arguments):
        """Run one of JupyterLab's commands and wait for its end."""
        call = "([name, arguments]) => jupyterapp.commands.execute(name, arguments).then(() => 1)"
        self.page.evaluate(call, [name, arguments])

    def start_all(self):
        """Begin "Run All Cells" and return at once."""
        self.page.evaluate(
            """() => {
                window.labRun = 'running';
                const done = jupyterapp.commands.execute('notebook:run-all-cells');
                done.then(fine => { window.labRun = fine ? 'ok' : 'failed'; },
                          error => { window.labRun = String(error); });
            }"""
        )

    @property
    def run(self):
        """How the last :meth:`start_all` stands: ``running``, ``ok``, ``failed`` or an error."""
        return self.page.evaluate("window.labRun")

    def run_all(self, timeout_s=120):
        """Run all cells to the end; return ``ok``, ``failed`` or an error."""
        self.start_all()
        return self.finish(timeout_s)

    def finish(self, timeout_s=120):
        """Wait for the end of :meth:`start_all`, in seconds of the real clock."""
        self.page.wait_for_function("window.labRun !== 'running'", timeout=timeout_s * 1000)
        return self.run

    def execute(self, code):
        """Run code beside the cells; return the last line that it printed; its error is raised."""
        return self.page.evaluate(
            """async code => {
                const {kernel} = jupyterapp.shell.currentWidget.sessionContext.session;
                const future = kernel.requestExecute({code, store_history: false});
                let printed = '';
                future.onIOPub = message => { printed += message.content.text ?? ''; };
                const reply = await future.done;
                const {status, ename, evalue} = reply.content;
                if (status !== 'ok') throw new Error(`${ename}: ${evalue}`);
                return printed.trim().split(/[\\r\\n]+/).at(-1);
            }""",
            code,
        )

    def count_messages(self):
        """Begin to count the messages that widgets get from the kernel; see :attr:`messages`."""
        self.page.evaluate(
            """() => {
                window.labMessages = 0;
                const {kernel} = jupyterapp.shell.currentWidget.sessionContext.session;
                kernel.anyMessage.connect((_, {direction, msg}) => {
                    const isComm = msg.header.msg_type.startsWith('comm_');
                    window.labMessages += direction === 'recv' && isComm;
                });
            }"""
        )

    @property
    def messages(self):
        """How many messages widgets have got since :meth:`count_messages`."""
        return self.page.evaluate("window.labMessages")

    def outputs(self):
        """Return the text of each code cell's outputs.

        ``textContent``, because JupyterLab leaves cells outside the window undrawn and their
        ``innerText`` is empty.
        """
        read = """cells => cells.map(cell => [...cell.querySelectorAll('.jp-OutputArea-output')]
            .map(output => output.textContent).join('\\n'))"""
        return self.page.eval_on_selector_all(self.CELLS, read)

    def wait_text(self, selector, text, timeout_s=30):
        """Wait until one of the elements holds the text."""
        look = """([selector, text]) => [...document.querySelectorAll(selector)]
            .some(element => element.textContent.includes(text))"""
        self.page.wait_for_function(look, arg=[selector, text], timeout=timeout_s * 1000)

    def show(self, selector):
        """Scroll to an element, so that it is drawn (for a screenshot)."""
        self.page.locator(selector).first.scroll_into_view_if_needed()

    def save(self):
        """Save the notebook."""
        self.command("docmanager:save")
