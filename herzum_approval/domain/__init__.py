"""The rules: frozen dataclasses, enums and pure functions. No Flask, no SQL, no clock."""
