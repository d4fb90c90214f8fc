"""Tells the scenarios of Tests/Scenarios through the Python client; its README has the language.

    python -m scenarios [--manual] [--deadline SECONDS] FILE DIRECTORY

tells one, in this process and with a directory that it has to itself.
"""
