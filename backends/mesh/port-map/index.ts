export { needsPortMap, PortMap, portMapMessage, type PortMapState } from './port-map.ts'
