"""Tokens of an identity provider (JWT): who they say the caller is, checked against the provider's keys."""

import json
import re
from pathlib import Path
from typing import Any

import jwt

from service.access.caller import SCOPES, Caller
from service.settings import JwtSettings, SettingsError

# Never HS* (the provider's public key would be a password) and never none.
_ALLOWED = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
_PRINCIPAL = re.compile(r"[^\s]{1,120}")


class TokenVerifier:
    """
    Checks tokens against one issuer.

    :raises SettingsError: for an algorithm that is not asymmetric, an unknown scope, or a JWKS file that is none.
    """

    def __init__(self, settings: JwtSettings) -> None:
        self.settings = settings
        if not settings.algorithms or not set(settings.algorithms) <= _ALLOWED:
            raise SettingsError(f"`jwt.algorithms`: {settings.algorithms}; allowed are {', '.join(sorted(_ALLOWED))}")
        if not set(settings.scopes) <= set(SCOPES):
            raise SettingsError(f"`jwt.scopes`: {settings.scopes}; allowed are {', '.join(SCOPES)}")
        self._remote: jwt.PyJWKClient | None = None
        self._file: Path | None = None
        self._stamp: int | None = None
        self._keys: jwt.PyJWKSet | None = None
        if settings.jwks.startswith("https://"):
            self._remote = jwt.PyJWKClient(settings.jwks, lifespan=300, timeout=5)
        elif "://" in settings.jwks:
            raise SettingsError("`jwt.jwks`: must be a file or an https:// address")
        else:
            self._file = Path(settings.jwks)
            self._read_file()

    def find(self, token: str) -> Caller | None:
        """
        The caller a token names, or None when it is expired, not for us, not signed by the provider, or no token.

        May ask the provider for its keys: call it in a thread.
        """
        try:
            claims = jwt.decode(
                token,
                self._signing_key(token),
                algorithms=self.settings.algorithms,
                audience=self.settings.audience,
                issuer=self.settings.issuer,
                leeway=self.settings.leeway,
                options={"require": ["exp", "iss", "aud"]},
            )
        except (jwt.PyJWTError, ValueError, KeyError, TypeError):
            return None
        user = claims.get(self.settings.user_claim)
        if not isinstance(user, str) or not _PRINCIPAL.fullmatch(user):
            return None
        principals = {f"user:{user}"} | {f"group:{group}" for group in _groups(claims.get(self.settings.groups_claim))}
        return Caller(f"jwt:{user}", frozenset(self.settings.scopes), frozenset(principals))

    def _signing_key(self, token: str) -> Any:
        if self._remote is not None:
            return self._remote.get_signing_key_from_jwt(token).key
        self._read_file()
        assert self._keys is not None  # noqa: S101 - read just now
        wanted = jwt.get_unverified_header(token).get("kid")
        usable = [
            key for key in self._keys.keys if key.key_id == wanted or (wanted is None and len(self._keys.keys) == 1)
        ]
        if not usable:
            raise jwt.InvalidKeyError("no key of this id")
        return usable[0].key

    def _read_file(self) -> None:
        assert self._file is not None  # noqa: S101 - only called with a file
        try:
            stamp = self._file.stat().st_mtime_ns
            if stamp != self._stamp:
                self._keys = jwt.PyJWKSet.from_dict(json.loads(self._file.read_text(encoding="utf-8")))
                self._stamp = stamp
        except (OSError, ValueError, jwt.PyJWTError) as error:
            if self._keys is None:
                raise SettingsError(f"`jwt.jwks`: {self._file} holds no usable keys (a JWKS is expected)") from error


def _groups(claim: Any) -> list[str]:
    """A list of names, or names in one string; anything else is no group at all."""
    names = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return [name for name in names if isinstance(name, str) and _PRINCIPAL.fullmatch(name)]
