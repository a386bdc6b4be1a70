export { RESET_CODES, encodeFrame, type Frame } from './frame.ts'
export { FrameReader } from './frame-reader.ts'
export { RangePath, STREAM_PATH } from './range-path.ts'
export { RangeStream } from './range-stream.ts'
