"""Who handed in what: folders, archives and flat files as platforms make them, each entry with its student."""
