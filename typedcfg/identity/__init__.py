"""Identify: the canonical text of a configuration, its fingerprint, and the version of the code.

Other stages use `canonical.canonical_text`, `fingerprint.Fingerprint` and `fingerprint_of`,
`code_version.read_code_version`, and `run_identity.identify_run`.
"""
