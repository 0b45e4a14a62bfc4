"""Runs one attempt of a job: takes it, prepares it, runs it, and leaves a result. Standard library only."""

VERSION = '1'
