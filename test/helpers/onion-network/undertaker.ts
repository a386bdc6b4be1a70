import { spawn } from 'node:child_process'

/** Waits for the end of its input, which comes when this process ends, however it ends; then ends the daemons and removes their folder. */
const SCRIPT = `
trap '' INT TERM HUP
cat > /dev/null
for file in "$1"/*/pid; do
  [ -f "$file" ] && kill -9 "$(cat "$file")" 2> /dev/null
done
rm -rf -- "$1"`

/** Sees to it that nothing of `folder` (with the daemons whose pid files are in it) is left when this process is killed. */
export function buryWithThisProcess(folder: string): void {
  // A group of its own: what is sent to the terminal's or the runner's group does not reach it.
  const child = spawn('sh', ['-c', SCRIPT, 'sh', folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  child.on('error', () => {})
  child.unref()
  // The other end is closed by the system. Unreferenced, so that it does not keep this process alive.
  const { stdin } = child as unknown as { readonly stdin: { unref(): void; on(name: 'error', listener: () => void): void } }
  stdin.on('error', () => {})
  stdin.unref()
}
