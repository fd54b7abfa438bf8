"""What the studio tells of one edition, a module per panel: shots in, JSON out. No I/O."""
