"""Side-by-side runs against other systems, in the environment that the command settles."""

from cli.environment import settle_environment

settle_environment()
