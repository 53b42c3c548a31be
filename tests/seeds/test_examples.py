"""The examples of the users' documents, adapted only in the line that imports."""

import json

import pytest
from programs import records, run

import treering


def test_basic_usage(journal):
    run(
        """
        import sys, treering
        treering.configure(directory=sys.argv[1], console=False)
        from treering import get_logger, LogCategory

        # Get a logger
        logger = get_logger("my_module")

        # Basic logging
        logger.info("Application started")
        logger.warning("Configuration file not found, using defaults")
        logger.error("Database connection failed")

        # Structured logging with context
        logger.info("User login", extra={
            "category": LogCategory.SECURITY,
            "context": {
                "user_id": "user123",
                "ip_address": "192.168.1.100"
            },
            "metadata": {
                "login_method": "password",
                "success": True
            }
        })
        """,
        journal,
    )
    found = records(journal)
    assert [(r["level"], r["message"]) for r in found] == [
        ("INFO", "Application started"),
        ("WARNING", "Configuration file not found, using defaults"),
        ("ERROR", "Database connection failed"),
        ("INFO", "User login"),
    ]
    assert found[3]["category"] == "security"
    assert found[3]["context"] == {"user_id": "user123", "ip_address": "192.168.1.100"}
    assert found[3]["metadata"] == {"login_method": "password", "success": True}


def test_environment_variables(tmp_path):
    _, out, _ = run(
        """
        from treering import get_logger, get_logging_config
        get_logger("app").info("hello")
        config = get_logging_config()
        print(config.directory, config.level)
        """,
        env={
            "TREERING_LOG_LEVEL": "INFO",
            "TREERING_LOG_DIRECTORY": str(tmp_path / "logs"),
            "TREERING_LOG_CONSOLE_ENABLED": "true",
            "TREERING_LOG_FILE_ENABLED": "true",
            "TREERING_LOG_SECURITY_ENABLED": "true",
            "TREERING_LOG_AUDIT_ENABLED": "true",
        },
    )
    assert out.split() == [str(tmp_path / "logs"), "20"]
    assert [r["message"] for r in records(tmp_path / "logs")] == ["hello"]


def test_configuration_file(tmp_path):
    (tmp_path / "logging_config.yaml").write_text(
        "# logging_config.yaml\n"
        f'directory: "{tmp_path}/logs"\n'
        'level: "INFO"\n'
        "console_enabled: true\n"
        "console_colors: true\n"
        "file_enabled: true\n"
        "structured_enabled: true\n"
        "performance_enabled: true\n"
        "security_enabled: true\n"
        "audit_enabled: true\n"
        "alerts_enabled: true\n"
        "compression_enabled: true\n"
    )
    _, _, err = run(
        """
        import sys, treering
        treering.configure(config_file=sys.argv[1])
        treering.get_logger("auth_service").info("User authenticated successfully")
        """,
        tmp_path / "logging_config.yaml",
    )
    assert "\x1b[" in err, "colours were asked for"
    assert [r["message"] for r in records(tmp_path / "logs")] == ["User authenticated successfully"]
    (text,) = (tmp_path / "logs").glob("*.log")
    assert "User authenticated successfully" in text.read_text()


def test_programmatic_configuration(journal):
    _, out, _ = run(
        """
        import sys, treering
        treering.configure(directory=sys.argv[1])
        from treering import get_logging_config, set_logging_profile

        # Use predefined profiles
        set_logging_profile("development")  # Debug-friendly settings
        set_logging_profile("production")   # Production-optimized settings
        set_logging_profile("testing")      # Minimal logging for tests

        # Get current configuration
        config = get_logging_config()
        print(f"Log level: {config.level}")
        print(f"Log directory: {config.directory}")

        # Enable debug mode for troubleshooting
        set_logging_profile("debug")
        treering.get_logger("app").trace("deep")
        """,
        journal,
    )
    assert out == f"Log level: 30\nLog directory: {journal}\n"
    assert "deep" in [r["message"] for r in records(journal)]


def test_structured_json_format():
    from treering.outputs._format import formatter

    record = {
        "timestamp": "2024-01-15T10:30:45.123456789Z",
        "level": "INFO",
        "category": "api",
        "component": "auth",
        "message": "User authenticated successfully",
        "module": "auth_service",
        "function": "authenticate_user",
        "file": "auth_service.py",
        "line": 142,
        "process": 1,
        "thread": 1,
        "context": {"request_id": "req_123456", "user_id": "user_789"},
        "metadata": {"auth_method": "password", "duration_ms": 45},
        "performance_data": {"response_time": 0.045, "memory_usage": 128.5},
    }
    (line,) = formatter("netlink").lines(json.dumps(record).encode() + b"\n", [0])
    found = json.loads(line)
    assert list(found) == [
        "timestamp",
        "level",
        "category",
        "message",
        "module",
        "function",
        "line",
        "context",
        "metadata",
        "performance_data",
    ]
    assert found["timestamp"] == "2024-01-15T10:30:45.123Z"
    same = set(found) - {"timestamp"}
    assert {key: found[key] for key in same} == {key: record[key] for key in same}


@pytest.mark.parametrize(
    ("level", "component", "message"),
    [
        ("INFO", "auth_service", "User authenticated successfully"),
        ("WARNING", "database", "Connection pool exhausted, creating new connection"),
        ("ERROR", "api_handler", "Request validation failed: missing required field 'email'"),
    ],
)
def test_console_format(level, component, message):
    from treering.outputs._format import formatter

    record = {"timestamp": "2024-01-15T10:30:45Z", "level": level, "component": component}
    line = json.dumps(record | {"message": message}).encode() + b"\n"
    (text,) = formatter("CONSOLE", utc=True).lines(line, [0])
    assert text.decode() == f"[2024-01-15 10:30:45] [{level:8}] {component}: {message}"


def test_flask_integration(journal):
    from flask import Flask, request

    from treering import LogCategory, get_logger

    treering.configure(directory=journal, console=False)
    app = Flask(__name__)
    logger = get_logger("flask_app")

    @app.before_request
    def log_request():
        logger.info(
            "Request received",
            extra={
                "category": LogCategory.API,
                "context": {
                    "method": request.method,
                    "path": request.path,
                    "ip_address": request.remote_addr,
                },
            },
        )

    @app.get("/hello")
    def hello():
        return "hello"

    assert app.test_client().get("/hello").data == b"hello"
    treering.shutdown()
    (found,) = records(journal)
    assert found["category"] == "api"
    assert found["context"] == {"method": "GET", "path": "/hello", "ip_address": "127.0.0.1"}


def test_the_sensor_hubs_interface(journal):
    """S1: the methods of ILogger and MemoryLogOutput, in Python's spelling."""
    from treering.outputs.memory import MemoryOutput

    treering.configure(directory=journal, console=False, level="DEBUG")
    treering.add_output(memory := MemoryOutput())
    log = treering.get_logger("SensorManager")
    log.info("Sensor data acquired")
    log.warn("Sensor %s is slow", "T1")
    log.fatal("Sensor bus is gone")
    log.logf("INFO", "Router", "%d packets", 7)
    log.log_structured("ERROR", "Store", "Write failed", {"file": "a.dat", "code": 5})
    treering.set_level("Router", "ERROR")
    log.logf("INFO", "Router", "not seen")
    assert treering.flush(10)

    newest = [r for r in memory.records(10) if not r["component"].startswith("treering.")]
    assert [(r["component"], r["level"], r["message"]) for r in newest] == [
        ("SensorManager", "INFO", "Sensor data acquired"),
        ("SensorManager", "WARNING", "Sensor T1 is slow"),
        ("SensorManager", "CRITICAL", "Sensor bus is gone"),
        ("Router", "INFO", "7 packets"),
        ("Store", "ERROR", "Write failed"),
    ]
    assert newest[4]["metadata"] == {"file": "a.dat", "code": 5}
    assert [output["name"] for output in treering.list_outputs()] == ["memory"]
    memory.clear()
    assert memory.records() == []
    assert treering.remove_output("memory")
    treering.shutdown()
