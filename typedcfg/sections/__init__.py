"""The sections that typedcfg ships: templates only."""
