"""
Where Redis is, from the settings and the files that they name. Nothing is connected here.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .config import Config, ConfigError
from .config.kinds import host_and_port
from .journal.redis.address import RedisAddress, read_address
from .journal.redis.connecting import Places


def redis_places(config: Config, folder: Path) -> Places:
    """
    @param config: the settings; their store is in Redis.
    @param folder: what the paths in them are relative to.
    @raise ConfigError: a file cannot be used.
    """
    redis = config.redis
    password = _password(config, "password_file", redis.password_file, folder)

    def address(text: str) -> RedisAddress:
        read = read_address(text)
        if not read.password:
            read = replace(read, password=password)
        if read.user and not read.password:
            where = config.origin("redis.password_file")
            raise ConfigError([f"{where}: expected a file with a password, for {read.user}"])
        return read

    return Places(
        address(config.store),
        tuple(map(address, redis.shards)),
        tuple(map(host_and_port, redis.sentinels)),
        redis.sentinel_master,
        _password(config, "sentinel_password_file", redis.sentinel_password_file, folder),
        _path(redis.ca, folder),
        _path(redis.certificate, folder),
        _path(redis.private_key, folder),
    )


def _path(path: Path | None, folder: Path) -> Path | None:
    return None if path is None else folder / path


def _password(config: Config, key: str, path: Path | None, folder: Path) -> str:
    if path is None:
        return ""
    try:
        password = (folder / path).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        problem = f"can't be read: {error.strerror}"
    except UnicodeDecodeError:
        problem = "is not UTF-8"
    else:
        if password and "\n" not in password:
            return password
        problem = "is empty" if not password else "has more than one line"
    where = config.origin(f"redis.{key}")
    raise ConfigError([f"{where}: expected a file with a password: {path} {problem}"]) from None
