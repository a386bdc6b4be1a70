/** Program and arguments that run npm. On Windows npm is a script that only a shell can start, so its JavaScript is run instead. */
export function npm(...args: readonly string[]): readonly [program: string, args: string[]] {
  const script = process.env['npm_execpath']
  return script === undefined ? ['npm', [...args]] : [process.execPath, [script, ...args]]
}
