"""The checks, each under one name: ``nox`` runs the quick ones, ``nox -s slow`` the rest."""

import nox

nox.options.sessions = ["lint", "typecheck", "imports", "tests"]
nox.options.reuse_existing_virtualenvs = True


def install(session: nox.Session, *extras: str) -> None:
    """Install the package with its extras, unless the session runs in an environment that has them."""
    if session.virtualenv.is_sandboxed:
        session.install(f".[{','.join(extras)}]" if extras else ".")


@nox.session
def lint(session: nox.Session) -> None:
    install(session, "dev")
    session.run("ruff", "check", external=True)
    session.run("ruff", "format", "--check", external=True)


@nox.session
def typecheck(session: nox.Session) -> None:
    install(session, "dev")
    session.run("mypy", external=True)


@nox.session
def imports(session: nox.Session) -> None:
    install(session, "dev")
    session.run("lint-imports", "--no-cache", external=True)


@nox.session
def tests(session: nox.Session) -> None:
    install(session, "test", "dev")
    session.run("pytest", *session.posargs, external=True)


@nox.session
def slow(session: nox.Session) -> None:
    install(session, "test", "dev")
    session.run("pytest", "-m", "slow", *session.posargs, external=True)


@nox.session
def docs(session: nox.Session) -> None:
    install(session, "docs")
    session.run("mkdocs", "build", *session.posargs, external=True, env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
@nox.parametrize(
    "script",
    [
        "startup",
        "trial_start",
        "first_batch",
        "bucketing",
        "verdict_simulation",
        "grouped_simulation",
        "estimate",
        "report",
        "kit",
        "lagged_search",
        "overhead",
        "memory",
        "scaling",
        "profile_trial",
        "fashion_mnist",
        "textbook",
        "peers",
    ],
)
def benchmarks(session: nox.Session, script: str) -> None:
    install(session)
    if script == "peers" and session.virtualenv.is_sandboxed:
        session.install("keras-tuner")
    session.run("python", f"benchmarks/{script}.py", *session.posargs, external=True)
