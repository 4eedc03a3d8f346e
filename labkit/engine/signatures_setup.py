"""What keeps Spark from starting at all."""

from __future__ import annotations

from labkit.engine.signature import Signature

_DOCTOR = "Call lab.doctor(): it names the Java that it finds and the one that Spark needs."
TABLE = (
    Signature(
        id="I02",
        fragments=("class file version", "class file major version", "getSubject is not supported"),
        sentence="This Java is too old or too new for Spark.",
        cure=_DOCTOR,
        lesson="00",
    ),
    Signature(
        id="I03",
        fragments=("winutils", "HADOOP_HOME", "NativeIO$Windows"),
        sentence="The part of Hadoop that Windows needs is missing.",
        cure="Work in WSL or in the course's container; lab.doctor() tells what is there.",
        lesson="00",
    ),
    Signature(
        id="I04",
        fragments=("PYTHON_VERSION_MISMATCH", "Python in worker has different version"),
        sentence="Spark's workers run another Python than this notebook.",
        cure="Restart the kernel and get Spark with lab.spark(), which gives them this Python.",
        lesson="00",
    ),
    Signature(
        id="I05",
        fragments=("No module named 'distutils'",),
        sentence="This Spark is too old for this Python.",
        cure="Install labkit's own requirements again, then call lab.doctor().",
        lesson="00",
    ),
    Signature(
        id="I06",
        fragments=("'sparkDriver' could not bind", "Cannot assign requested address"),
        sentence="Spark cannot open a port at its own address.",
        cure="Restart the kernel and get Spark with lab.spark(), which uses 127.0.0.1.",
        lesson="00",
    ),
    Signature(
        id="I07",
        fragments=("Cannot run multiple SparkContexts",),
        sentence="A Spark session runs already in this kernel.",
        cure="Restart the kernel and get Spark with lab.spark() only.",
        lesson="00",
    ),
    Signature(
        id="I01",
        fragments=("JAVA_GATEWAY_EXITED", "Java gateway process exited", "JAVA_HOME is not set"),
        sentence="Java did not start.",
        cure=_DOCTOR,
        lesson="00",
    ),
    Signature(
        id="I08",
        fragments=("PACKAGE_NOT_INSTALLED",),
        sentence="A Python package that this call needs is missing.",
        cure="Install labkit's own requirements again, then call lab.doctor().",
        lesson="00",
    ),
    # Nothing answers, whatever is asked: behind all others, since it hides them.
    Signature(
        id="M66",
        fragments=(
            "'NoneType' object has no attribute 'sc'",
            "'NoneType' object has no attribute 'setCallSite'",
            "'NoneType' object has no attribute '_jvm'",
            "Answer from Java side is empty",
            "while communicating with the JVM",
            "while trying to connect to the Java server",
            "Py4JNetworkError",
        ),
        sentence="Spark's Java has ended, or the session was stopped.",
        cure="Get Spark again with spark = lab.spark(), and run the cells from there.",
        lesson="01",
    ),
)
