// Runs before the first paint, so that a remembered theme never flashes in; a module would come too late.
try {
  const theme = localStorage.getItem("legenda-theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be switched off; then the system's theme stands.
}
