"""Take a folder of images in, as pending work: the command `storage-import`."""
