"""Who handed in what: folders, archives and platforms' names, divided into submissions."""
