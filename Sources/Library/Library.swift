// Nothing: this target exists so that the link flags of the shared library reach no test bundle.
